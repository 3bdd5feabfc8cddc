/**
 * A large amount, and then a transaction in a foreign country within five minutes (the documents' pattern of fraud): an alert
 * for each large amount, at the first of the account's transactions that is foreign to it.
 *
 * Foreign is another country than that of the large amount: where an account is at home nobody says here. Others may come
 * between, as a thief's might; where the documents' pattern asks for the very next, this one finds that and more.
 * Transactions are put in the order of their times first. Of an account's large amounts 100 wait at a time: the oldest beyond
 * them is in the ledger as evicted.
 */
import { expr } from "@frazil/core"
import { Flow, Job, Pattern } from "@frazil/engine"
import { Alerts, RawTransactions } from "@frazil/model"
import { alertId } from "@frazil/rules"

const ruleId = "large-then-foreign"
const ruleVersion = 1

const largeThenForeign = Pattern.on(RawTransactions)
  .begin("large", expr("amount > 10000"))
  .followedBy("foreign", ({ country }, { large }) => country !== large.country)
  .within("5 minutes")

export const abroad = Job.make("abroad", [
  Flow.from(RawTransactions).pipe(
    Flow.keyBy("account_id"),
    Flow.pattern(largeThenForeign, { name: ruleId }),
    Flow.decide({
      conditions: [expr("true")],
      decide: (_, { account_id, steps: { foreign, large } }, { offset, partition, topic }) => ({
        alert_id: alertId(ruleId, account_id, large.transaction_id, foreign.transaction_id),
        rule_id: ruleId,
        rule_version: ruleVersion,
        severity: "high" as const,
        key: account_id,
        event_timestamp: foreign.event_timestamp,
        window_start: null,
        window_end: null,
        revision: 0,
        outcome: null,
        score: null,
        values: {
          large_transaction_id: large.transaction_id,
          large_amount: large.amount.toString(),
          large_country: large.country,
          foreign_transaction_id: foreign.transaction_id,
          foreign_country: foreign.country
        },
        message: `${large.amount.toString()} in ${large.country}, then ${foreign.country} within 5 minutes`,
        // a match says where its last record stands
        sources: [{ topic, partition, offset }],
        sources_count: 2
      })
    }),
    Flow.to(Alerts)
  )
])
