/** W1: parse, check, five rules, three branches written. It has no rows. */
import { Job } from "@frazil/engine"
import type { Answered } from "./Answer.ts"
import { runJob, type Through } from "./RunJob.ts"
import { countsOf, ruleOutputs, source, timed } from "./Transactions.ts"

const job = Job.make("w1", ruleOutputs(timed(source), "written"))

export const w1 = async (file: string, through: Through): Promise<Answered> => {
  const { logCost, status } = await runJob(job, file, through, () => {})
  return { counts: countsOf(status), rows: [], logCost }
}
