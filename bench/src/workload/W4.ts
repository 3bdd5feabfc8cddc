/**
 * W4: W1's rules, counted, and for each amount over 10,000 the first later transaction of the account in another country, less
 * than five minutes after it. Rows are `first_transaction_id,second_transaction_id`.
 *
 * What comes more than 10 s late is in no sequence, and counted as late.
 */
import { expr, Field, Topic } from "@frazil/core"
import { Flow, Job, Pattern } from "@frazil/engine"
import { Schema } from "effect"
import type { Answered } from "./Answer.ts"
import { recordsOf, runJob, type Through } from "./RunJob.ts"
import { countsOf, ruleOutputs, source, timed } from "./Transactions.ts"

class Pair extends Schema.Opaque<Pair>()(Schema.Struct({ first: Field.text(), second: Field.text() })) {}
const Pairs = Topic.make("pairs", { schema: Pair, key: undefined, partitions: 1 })

/** With as many partial matches as the engine allows; a file that needs more is refused (`runJob`). */
const abroad = Pattern.on(source)
  .begin("large", expr("amount > 10000"))
  .followedBy("abroad", expr("country != large.country"))
  .within("5 minutes", { partialMatchesMax: 10_000, recordsHeldMax: 100_000_000 })

const transactions = timed(source)
const job = Job.make("w4", [
  ...ruleOutputs(transactions, "counted"),
  transactions.pipe(
    Flow.keyBy("account_id"),
    Flow.pattern(abroad),
    Flow.map(({ steps }) => ({ first: steps.large.transaction_id, second: steps.abroad.transaction_id })),
    Flow.to(Pairs)
  )
])

export const w4 = async (file: string, through: Through): Promise<Answered> => {
  const rows: Array<string> = []
  const taken = recordsOf(Pairs, ({ first, second }) => void rows.push(`${first},${second}`))
  const { logCost, status } = await runJob(job, file, through, taken)
  return { counts: countsOf(status), rows, logCost }
}
