/** W2 of the peers' workloads. usage: bun bench/src/w2.ts FILE.ndjson [--output DIR] [--through log]: see `workload/Program.ts`. */
import { runProgram } from "./workload/Program.ts"
import { runWindows, w2 } from "./workload/Windows.ts"

await runProgram(2, (file, through) => runWindows("w2", w2, file, through))
