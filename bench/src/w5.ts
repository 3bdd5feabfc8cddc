/** W5 of the peers' workloads. usage: bun bench/src/w5.ts FILE.ndjson [--output DIR] [--through log]: see `workload/Program.ts`. */
import { runProgram } from "./workload/Program.ts"
import { w5 } from "./workload/W5.ts"

await runProgram(5, w5)
