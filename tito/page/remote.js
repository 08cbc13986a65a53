// The playground: instead of a thread of the page, a server on this machine computes, with the learner's own package.
"use strict";

function startRemote() { return null; }
