/** W4 of the peers' workloads. usage: bun bench/src/w4.ts FILE.ndjson [--output DIR] [--through log]: see `workload/Program.ts`. */
import { runProgram } from "./workload/Program.ts"
import { w4 } from "./workload/W4.ts"

await runProgram(4, w4)
