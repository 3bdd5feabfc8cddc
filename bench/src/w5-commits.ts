/**
 * W5 for as long as its commits are apart, and more: the file is landed several times over. usage:
 * bun bench/src/w5-commits.ts FILE.ndjson.
 */
import { startProgram } from "@frazil/platform/start"

await startProgram(import.meta.url, async () => {
  const [{ runProgram }, { w5 }] = await Promise.all([import("./workload/Program.ts"), import("./workload/W5.ts")])
  return () =>
    runProgram(5, async (file) => {
      const answered = await w5(file, "file", 6)
      const fewerCommits = Math.max(0, 2 - Number(answered.more?.["commits"]))
      return { ...answered, more: { ...answered.more, fewerCommits } }
    })
})
