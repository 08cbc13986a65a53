"""What every milestone shares: options, the clock, checkpoints, the closing table and its figures."""

from common.ending import run

from common import closing_table, saving
from common.evaluation import Result, evaluate, predict
from common.options import complete, parser, positive
from common.training_run import Misused, Run, reading, tested
