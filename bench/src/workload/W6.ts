/**
 * W6 of the peers' workloads: every record joined with a table of a million accounts, how many come from another country than
 * the account's, and the sum of the accounts' risk, whatever the records' times.
 *
 * It has no rows. Making the table's records is not counted, reading them into state is told apart. The table's rows are in memory,
 * or on disk with the cache that an operator has by default.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expr, Field, Topic } from "@frazil/core"
import { Flow, Job, localStateFolder, StateFolder } from "@frazil/engine"
import { RawTransactions } from "@frazil/model"
import { Effect, Layer, Schema } from "effect"
import { accountsCount } from "../support/AccountRows.ts"
import { Accounts, makeAccounts } from "../support/Accounts.ts"
import { BenchError } from "../support/BenchError.ts"
import { makeFileLog } from "../support/FileLog.ts"
import { jobServices } from "../support/JobServices.ts"
import { cpuSeconds, measureProcess, rounded } from "../support/Measure.ts"
import type { Answered } from "./Answer.ts"
import type { Through } from "./RunJob.ts"
import { timed } from "./Transactions.ts"

class Foreign extends Schema.Opaque<Foreign>()(Schema.Struct({ transaction_id: Field.text() })) {}
const Foreigns = Topic.make("foreign", { schema: Foreign, key: undefined, partitions: 1 })

const makeJob = (store: "memory" | "disk") => {
  const joined = timed(RawTransactions).pipe(
    Flow.joinTable(Accounts, { on: "account_id", take: ["home_country", "risk"], store })
  )
  return Job.make("w6", [
    joined.pipe(
      Flow.filter(expr("country != home_country")),
      Flow.map(({ transaction_id }) => ({ transaction_id })),
      Flow.to(Foreigns)
    ),
    joined.pipe(Flow.total("risk", { sum: "risk" }))
  ])
}

export const w6 = async (file: string, through: Through, store: "memory" | "disk"): Promise<Answered> => {
  if (through === "log") throw new BenchError("W6 reads its table from memory: --through log is for W1 to W5")
  const before = cpuSeconds()
  const accounts = makeAccounts()
  const made = cpuSeconds()
  let loaded = made
  const tables = new Map([[Accounts.name, accounts]])
  const source = makeFileLog(RawTransactions.name, file, undefined, tables, () => (loaded = cpuSeconds()))
  const monitor = Job.monitor()
  const inputComplete = (topic: string) => Effect.sync(() => topic !== RawTransactions.name || source.complete())
  const folder = mkdtempSync(join(tmpdir(), "frazil-w6-"))
  try {
    await Effect.runPromise(
      Job.run(makeJob(store), { bounded: true, inputComplete, observer: monitor }).pipe(
        Effect.provide(Layer.merge(source.layer, jobServices)),
        Effect.provideService(StateFolder, localStateFolder(folder))
      )
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
  const [status] = monitor.status()
  if (status === undefined) throw new Error("a job that ran has a status")
  const n = status.in
  const measured = measureProcess(n)
  const tableCpuSeconds = loaded - made
  const ownCpuSeconds = measured.cpuSeconds - (made - before) - tableCpuSeconds
  return {
    counts: { n, invalid: status.deadLettered, late: status.late },
    rows: [],
    more: {
      x1: source.committed.get(Foreigns.name) ?? 0,
      x2: BigInt(status.totals["risk"]?.sum ?? 0),
      tableRows: accountsCount,
      tableCpuSeconds: rounded(tableCpuSeconds, 3),
      tableCpuMicrosPerRow: rounded((tableCpuSeconds / accountsCount) * 1e6, 3),
      // what other systems' figures hold: they read the table, too
      wholeMicrosPerEvent: rounded(((ownCpuSeconds + tableCpuSeconds) / Math.max(n, 1)) * 1e6, 3)
    },
    measured: {
      ...measured,
      cpuSeconds: rounded(ownCpuSeconds, 3),
      cpuMicrosPerEvent: rounded((ownCpuSeconds / Math.max(n, 1)) * 1e6, 3)
    }
  }
}
