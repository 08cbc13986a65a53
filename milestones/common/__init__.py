"""What every milestone shares: options, the loop over batches and its clock, the closing table."""
from common.evaluation import Result, evaluate
from common.options import parser, positive
from common.run import Run, run
