/** W1 through the embedded log: fed into it, then read from it. usage: bun bench/src/w1-log.ts FILE.ndjson. */
import { startProgram } from "@frazil/platform/start"

await startProgram(import.meta.url, async () => {
  const [{ runProgram }, { w1 }] = await Promise.all([import("./workload/Program.ts"), import("./workload/W1.ts")])
  return () => runProgram(1, (file) => w1(file, "log"))
})
