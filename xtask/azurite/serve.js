// Azurite's blob service, which stops when whoever started it is gone: its standard input ends then.
process.stdin.on("end", () => process.exit(0)).resume();
require("azurite/dist/src/blob/main.js");
