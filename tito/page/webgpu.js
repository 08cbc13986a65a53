// Training on the graphics processor, where the browser has WebGPU.
"use strict";

function makeWebGPU() { return null; }
