/**
 * The bank: out-of-order transfers through a chain of jobs that is killed again and again. In every window of event time that
 * all partitions have closed, balances of all accounts sum to zero, at every moment; in the end they are what a plain loop
 * makes of the transfers.
 */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { EmbeddedLog } from "@frazil/connect"
import { makeRecordBuilder, partitionOf } from "@frazil/core"
import { Job, Log } from "@frazil/engine"
import { Ledger } from "@frazil/model"
import { makeRandom } from "@frazil/sim"
import { Effect, Random } from "effect"
import { makeFolder } from "../Folder.ts"
import { type Finding, found, type Scale, type Scenario } from "../Scenario.ts"
import { Balances, bankJobs, Movements, Totals, Transfers } from "./BankJobs.ts"
import { accountName, accounts, balancesAfter, transferOf, windowsOf } from "./Transfers.ts"

const sizes: Readonly<Record<Scale, { readonly transfers: number; readonly killsMs: number }>> = {
  full: { transfers: 10_000_000, killsMs: 20_000 },
  short: { transfers: 200_000, killsMs: 1_500 }
}
const groupRecords = 50_000
const limits = { recordsMax: 20_000, bytesMax: 8_000_000 }

const logOf = (folder: string) => EmbeddedLog.layer({ file: `${folder}/log.db` })

/** Fills the topic of transfers. */
const append = Effect.fnUntraced(function* (count: number) {
  const log = yield* Log
  const { name, partitions } = Transfers
  yield* log.ensureTopic({ name, partitions })
  const producer = yield* log.producer("bank")
  for (let from = 0; from < count; from += groupRecords) {
    const builders = Array.from({ length: partitions }, () => makeRecordBuilder())
    for (let id = from; id < Math.min(count, from + groupRecords); id++) {
      const { at, cents, from: giver, to } = transferOf(id)
      const key = `T${id}`
      const text = `{"id":"${key}","from":"${accountName(giver)}","to":"${accountName(to)}","cents":${cents},"at":"${new Date(at).toISOString()}"}`
      builders[partitionOf(key, partitions)]!.addText(text, key)
    }
    const batches = builders.map((builder, partition) => ({ topic: name, partition, records: builder.take() }))
    yield* producer.append(producer.nextSequence, batches)
  }
}, Effect.scoped)

const text = new TextDecoder()

/** Calls back for each record of a topic that is there, as JSON. */
const eachRecord = Effect.fnUntraced(function* (
  topic: string,
  take: (record: Readonly<Record<string, unknown>>) => void
) {
  const log = yield* Log
  if (!(yield* log.topics).some(({ name }) => name === topic)) return
  for (const { end, partition, start } of yield* log.bounds(topic)) {
    for (let offset = start; offset < end;) {
      const batch = yield* log.read(topic, partition, offset, limits)
      for (let row = 0; row < batch.length; row++) {
        // what the jobs wrote: JSON objects
        take(
          JSON.parse(text.decode(batch.bytes.subarray(batch.valueStarts[row], batch.valueEnds[row]))) as Record<
            string,
            unknown
          >
        )
      }
      offset = batch.next
    }
  }
})

/** Until when all partitions of the stage that tells movements have closed their windows: one that told nothing yet holds all back. */
const closedUntil = Effect.gen(function* () {
  const stages = yield* Job.progress(bankJobs)
  const stage = stages.find(({ job, topic }) => job === "bank-postings" && topic !== Transfers.name)
  if (stage === undefined || stage.shards.length === 0) return Number.NEGATIVE_INFINITY
  const log = yield* Log
  const told = stage.shards.filter(({ detail: { idle, maxEventTime } }) => !idle && maxEventTime !== null)
  const all = told.length === (yield* log.bounds(stage.topic)).length
  return (all ? stage.watermarkMs : undefined) ?? Number.NEGATIVE_INFINITY
})

/** Closed windows whose movements do not sum to zero, and how many are closed. */
const checkMovements = Effect.gen(function* () {
  // asked first: what is closed now has all of its movements in the topic
  const closed = yield* closedUntil
  const sums = new Map<number, number>()
  yield* eachRecord(Movements.name, ({ cents, window_end }) => {
    const end = Date.parse(String(window_end))
    if (end <= closed) sums.set(end, (sums.get(end) ?? 0) + Number(cents))
  })
  return { closed: sums.size, wrong: [...sums.values()].filter((cents) => cents !== 0).length }
})

const start = (folder: string) => {
  const child = spawn(process.execPath, [join(import.meta.dirname, "BankProcess.ts"), folder], {
    stdio: ["ignore", "ignore", "pipe"]
  })
  const said: Array<string> = []
  child.stderr.on("data", (data: Buffer) => void said.push(data.toString()))
  const gone = new Promise<number | null>((done) => child.once("exit", (code) => done(code)))
  return { child, gone, said }
}

/** Runs the jobs, killed at random until `killsMs` have passed, then to the end. */
const runJobs = Effect.fnUntraced(function* (folder: string, killsMs: number, below: (bound: number) => number) {
  const looks: Array<{ readonly closed: number; readonly wrong: number }> = []
  for (let kill = 0; kill < 8; kill++) {
    const running = start(folder)
    yield* Effect.sleep(killsMs / 2 + below(killsMs))
    running.child.kill("SIGKILL")
    yield* Effect.promise(() => running.gone)
    looks.push(yield* checkMovements)
  }
  const last = start(folder)
  const code = yield* Effect.promise(() => last.gone)
  looks.push(yield* checkMovements)
  return { looks, ended: code === 0 ? "" : `the jobs ended with ${code}: ${last.said.join("").slice(0, 500)}` }
})

/** Balances after each window, all accounts': their sum, window by window, and in the end account by account. */
const checkBalances = Effect.fnUntraced(function* (count: number) {
  const changes = new Map<number, Array<readonly [account: string, cents: number]>>()
  yield* eachRecord(Balances.name, ({ account, cents, window_end }) => {
    const end = Date.parse(String(window_end))
    const rows = changes.get(end)
    if (rows === undefined) changes.set(end, [[String(account), Number(cents)]])
    else rows.push([String(account), Number(cents)])
  })
  const balances = new Map<string, number>()
  let wrong = 0
  for (const end of [...changes.keys()].sort((left, right) => left - right)) {
    for (const [account, cents] of changes.get(end)!) balances.set(account, cents)
    if ([...balances.values()].reduce((sum, cents) => sum + cents, 0) !== 0) wrong++
  }
  const expected = balancesAfter(count)
  let differing = 0
  for (let account = 0; account < accounts; account++)
    if ((balances.get(accountName(account)) ?? 0) !== expected[account]) differing++
  return { windows: changes.size, wrong, differing }
})

const checkTotals = Effect.gen(function* () {
  const windows = new Set<string>()
  let [rows, wrong, postings] = [0, 0, 0]
  yield* eachRecord(Totals.name, (total) => {
    rows++
    windows.add(String(total["window"]))
    postings += Number(total["postings"])
    if (Number(total["cents"]) !== 0) wrong++
  })
  return { rows, windows: windows.size, wrong, postings }
})

const judge = Effect.fnUntraced(function* (count: number) {
  const windows = windowsOf(count)
  const balances = yield* checkBalances(count)
  const totals = yield* checkTotals
  let ledger = 0
  yield* eachRecord(Ledger.name, () => void ledger++)
  return [
    found(
      balances.windows === windows && balances.wrong === 0,
      `balances of ${accounts} accounts sum to zero after each of ${balances.windows} of ${windows} windows (${balances.wrong} do not)`
    ),
    found(
      balances.differing === 0,
      `${balances.differing} of them are not what a plain loop makes of ${count} transfers`
    ),
    found(
      totals.rows === windows && totals.windows === windows && totals.wrong === 0 && totals.postings === 2 * count,
      `${totals.rows} totals of windows, each once, ${totals.wrong} not zero, with ${totals.postings} postings`
    ),
    found(ledger === 0, `${ledger} records were late, dropped or evicted`)
  ] satisfies ReadonlyArray<Finding>
})

export const bank: Scenario = {
  name: "bank",
  about: "transfers out of order through a chain of jobs that is killed again and again: balances sum to zero",
  run: Effect.fnUntraced(function* (scale) {
    const { killsMs, transfers } = sizes[scale]
    const seed = yield* Random.nextIntBetween(0, 100_000)
    const { path } = yield* makeFolder
    const { below } = makeRandom(seed)
    return yield* Effect.gen(function* () {
      yield* append(transfers)
      const { ended, looks } = yield* runJobs(path, killsMs, below)
      const wrong = looks.reduce((sum, look) => sum + look.wrong, 0)
      const seen = looks.map(({ closed }) => closed)
      return [
        found(ended === "", ended === "" ? `the jobs end by themselves after 8 kills by seed ${seed}` : ended),
        found(
          wrong === 0 && seen.at(-1)! > 0,
          `${wrong} closed windows not zero, looked at after each kill: ${seen.join(", ")} closed`
        ),
        ...(yield* judge(transfers))
      ]
    }).pipe(Effect.provide(logOf(path)))
  })
}
