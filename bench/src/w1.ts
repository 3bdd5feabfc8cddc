/** W1 of the peers' workloads. usage: bun bench/src/w1.ts FILE.ndjson [--output DIR] [--through log]: see `workload/Program.ts`. */
import { runProgram } from "./workload/Program.ts"
import { w1 } from "./workload/W1.ts"

await runProgram(1, w1)
