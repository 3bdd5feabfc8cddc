/** W3 of the peers' workloads. usage: bun bench/src/w3.ts FILE.ndjson [--output DIR] [--through log]: see `workload/Program.ts`. */
import { runProgram } from "./workload/Program.ts"
import { runWindows, w3 } from "./workload/Windows.ts"

await runProgram(3, (file, through) => runWindows("w3", w3, file, through))
