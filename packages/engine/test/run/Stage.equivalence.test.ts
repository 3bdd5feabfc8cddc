/** The compiled stage against its slow twin: random jobs over random batches give the same commits, whatever the names. */
import { expr, makeRecordBuilder, type RecordBatch } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { type Append, count, Flow, Job, sum, Window } from "../../src/index.ts"
import { planJob } from "../../src/plan/PlanJob.ts"
import type { StagePlan } from "../../src/plan/StagePlan.ts"
import { compileStage } from "../../src/run/CompileStage.ts"
import { makeShard, type Shard } from "../../src/run/Shard.ts"
import { takeCommit } from "../../src/run/TakeCommit.ts"
import { emptyDetail, type ShardDetail } from "../../src/run/ShardDetail.ts"
import type { StageProgram } from "../../src/run/StageProgram.ts"
import { makeKeyedOperator } from "../../src/keyed/KeyedOperator.ts"
import { makeLookupState } from "../../src/lookup/LookupState.ts"
import { makeKeyedState } from "../../src/state/KeyedState.ts"
import { makeTableState } from "../../src/state/TableState.ts"
import { makeJoinState } from "../../src/join/JoinState.ts"
import { makePatternState } from "../../src/pattern/PatternState.ts"
import { makeWindowState } from "../../src/window/WindowState.ts"
import { casesOf } from "../support/Cases.ts"
import { makeChance } from "../support/Chance.ts"
import { type Line, makeTestDeadLetter, makeTestLedgerEntry, TestDeadLetters, TestLedger } from "../support/Harness.ts"
import { attachFakeAskers, passOn } from "../support/FakeAskers.ts"
import { Copies, randomJob, randomLine, type Sale, Sales } from "../support/RandomJobs.ts"
import { sessions, windowed, Windowed } from "../support/RandomWindows.ts"
import { kept } from "../support/RandomKeyed.ts"
import { joined } from "../support/RandomJoins.ts"
import { slowRows, slowStage } from "../support/SlowStage.ts"
import { twoSides } from "../support/RandomTwoSides.ts"
import { joinedSales, randomRow, tableWindows } from "../support/RandomTables.ts"

const sales = Flow.from(Sales)
const totalsOf = { count: count() }
const seeds = casesOf(100)
const batches = 3
const batchRecords = 30

let answered = 0

const shardOf = (plan: StagePlan, program: StageProgram): Shard =>
  makeShard({
    plan,
    program,
    restored: {
      id: { uid: plan.uid, stage: plan.name, shard: 0 },
      epoch: 0,
      offset: 0,
      snapshots: [],
      files: new Map(),
      states: plan.states.map((state) => makeKeyedState(state.name, state.declaration)),
      windows: plan.windows.map((window) => makeWindowState(window)),
      patterns: plan.patterns.map((pattern) => makePatternState(pattern)),
      joins: plan.joins.map((join) => makeJoinState(join)),
      keyed: plan.keyed.map((keyed) => makeKeyedOperator(keyed)),
      lookups: plan.lookups.map(({ keyOf, name, policy }) => makeLookupState(name, policy.ordered, keyOf)),
      tables: plan.tables.map((table) => makeTableState(table)),
      tableOffsets: plan.tables.map(() => 0),
      detail: emptyDetail
    },
    deadLetterTopic: TestDeadLetters,
    makeDeadLetter: makeTestDeadLetter,
    ledger: { topic: TestLedger, make: makeTestLedgerEntry },
    startedAtMs: 0,
    ...(plan.writers === undefined ? {} : { laneShape: plan.writers.map(() => 1) })
  })

const batchOf = (lines: ReadonlyArray<Line>, from: number): RecordBatch => {
  const builder = makeRecordBuilder()
  for (const { key, value } of lines) builder.addText(value, key)
  return {
    ...builder.take(),
    offsets: Float64Array.from(lines, (_, index) => from + index),
    timestamps: new Float64Array(lines.length)
  }
}

const text = new TextDecoder()

/** What an epoch commits. */
const committed = (plan: StagePlan, shard: Shard, finished = false) => {
  const topics = [plan.source, ...plan.tables.map(({ topic }) => topic)].map(({ name, partitions }) => ({
    name,
    id: name,
    partitions,
    createdAt: 0
  }))
  return takeCommit(shard, plan, topics, finished)
}

const textOf = (topic: string, bytes: Uint8Array) =>
  topic.endsWith(".repartition") ? Buffer.from(bytes).toString("latin1") : text.decode(bytes)

/** But for how many records took the decoder's slow path: the compiled stage has fewer columns decoded. */
const detailOf = ({ detail }: ReturnType<typeof committed>) => {
  const { counts, ...rest } = detail as ShardDetail // a shard's
  return { ...rest, counts: { ...counts, slow: undefined } }
}

/** All of it as text. */
const asText = (commit: ReturnType<typeof committed>) => ({
  detail: detailOf(commit),
  delta: commit.delta === null ? null : text.decode(commit.delta),
  outputs: commit.outputs.map(({ partition, records, topic: to }) => ({
    to: `${to}/${partition}`,
    records: Array.from({ length: records.length }, (_, row) => [
      records.keyStarts[row]! < 0
        ? null
        : text.decode(records.bytes.subarray(records.keyStarts[row], records.keyEnds[row])),
      textOf(to, records.bytes.subarray(records.valueStarts[row], records.valueEnds[row]))
    ])
  }))
})

const written = (plan: StagePlan, shard: Shard) => asText(committed(plan, shard))

/**
 * Runs a job's stage both ways over the batches, each with rows of its table before; what each wrote must be equal. The
 * compiled one's writings.
 */
const agreed = (
  job: Job.Job,
  batches: ReadonlyArray<ReadonlyArray<string>>,
  what: string,
  rowsOf?: (batch: number) => ReadonlyArray<Line>
) => {
  const [plan] = planJob(job)
  const fast = shardOf(plan!, compileStage(plan!))
  const slow = shardOf(plan!, slowStage(plan!))
  const shards = [fast, slow]
  const givers = shards.map(attachFakeAskers)
  const epochs = batches.map((lines, index) => {
    const records = batchOf(
      lines.map((value) => ({ key: null, value })),
      fast.offset
    )
    const rows = rowsOf?.(index)
    const now = 1_768_400_000_000 + index
    for (const [at, shard] of shards.entries()) {
      if (rows !== undefined) shard.processTable(0, batchOf(rows, shard.tables[0]!.offset), now)
      shard.process(records, now)
      if (index % 2 === 1) givers[at]!()
      passOn(shard, now)
    }
    answered += fast.answered
    const found = written(plan!, fast)
    assert.deepStrictEqual(found, written(plan!, slow), `${what}, batch ${index}`)
    return found
  })
  // silent, while the rest of the topic is an hour further
  const hour = fast.context.time.maxEventTime + 3_600_000
  assert.strictEqual(fast.takeTime(hour, 1_768_400_000_000), slow.takeTime(hour, 1_768_400_000_000))
  epochs.push(written(plan!, fast))
  assert.deepStrictEqual(epochs.at(-1), written(plan!, slow), `${what}, silent`)
  for (const [at, shard] of shards.entries()) {
    // a lookup below another is asked when that one has its answer
    for (let level = 0; level < plan!.lookups.length; level++) {
      givers[at]!()
      passOn(shard, 1_768_400_000_000)
    }
    shard.close(1_768_400_000_000)
  }
  const last = written(plan!, fast)
  assert.deepStrictEqual(last, written(plan!, slow), `${what}, at the end of time`)
  return { epochs: [...epochs, last], counts: fast.detail.counts }
}

/** The stage behind: of each partition, what the first wrote, epoch by epoch. What the last epochs wrote, and the counts. */
const agreedBehind = (plan: StagePlan, appends: ReadonlyArray<Append>, what: string) =>
  Array.from({ length: plan.source.partitions }, (_, partition) => {
    const fast = shardOf(plan, compileStage(plan))
    const slow = shardOf(plan, slowStage(plan))
    const givers = [fast, slow].map(attachFakeAskers)
    let from = 0
    const epochs = appends
      .filter((each) => each.topic === plan.source.name && each.partition === partition)
      .map(({ records }, index) => {
        const offsets = Float64Array.from({ length: records.length }, (__, row) => from + row)
        from += records.length
        const now = 1_768_400_000_000 + index
        for (const [at, shard] of [fast, slow].entries()) {
          shard.process({ ...records, offsets, timestamps: new Float64Array(records.length) }, now)
          shard.readOn(from)
          if (index % 2 === 1) givers[at]!()
          passOn(shard, now)
        }
        const found = written(plan, fast)
        assert.deepStrictEqual(found, written(plan, slow), `${what}, behind, partition ${partition}, batch ${index}`)
        return found
      })
    assert.isTrue(fast.lanes!.ended(), "its writer has ended")
    for (const [at, shard] of [fast, slow].entries()) {
      for (let level = 0; level < plan.lookups.length; level++) {
        givers[at]!()
        passOn(shard, 1_768_400_000_000)
      }
      shard.close(1_768_400_000_000)
    }
    const last = written(plan, fast)
    assert.deepStrictEqual(last, written(plan, slow), `${what}, behind, partition ${partition}, at the end of time`)
    return { epochs: [...epochs, last], counts: fast.detail.counts }
  })

/** Both stages of a job with a repartition. */
const agreedChain = (job: Job.Job, batches: ReadonlyArray<ReadonlyArray<string>>, what: string) => {
  const [plan, behind] = planJob(job)
  const fast = shardOf(plan!, compileStage(plan!))
  const slow = shardOf(plan!, slowStage(plan!))
  const appends: Array<Append> = []
  const agree = (finished: boolean, at: string) => {
    const commit = committed(plan!, fast, finished)
    appends.push(...commit.outputs)
    assert.deepStrictEqual(asText(commit), asText(committed(plan!, slow, finished)), `${what}, ${at}`)
  }
  for (const [index, lines] of batches.entries()) {
    const records = batchOf(
      lines.map((value) => ({ key: null, value })),
      fast.offset
    )
    for (const shard of [fast, slow]) shard.process(records, 1_768_400_000_000 + index)
    agree(false, `batch ${index}`)
  }
  for (const shard of [fast, slow]) shard.close(1_768_400_000_000)
  agree(true, "at the end of time")
  return { first: fast.detail.counts, parts: agreedBehind(behind!, appends, what) }
}

const randomBatches = (seed: number) =>
  Array.from({ length: batches }, (_, batch) => {
    const chance = makeChance(seed * batches + batch)
    return Array.from({ length: batchRecords }, (__, index) => randomLine(chance, batch * batchRecords + index))
  })

const recordsTo = (topic: string, epochs: ReturnType<typeof agreed>["epochs"]) =>
  epochs.flatMap(({ outputs }) =>
    outputs.filter(({ to }) => to.startsWith(`${topic}/`)).flatMap(({ records }) => records)
  )

describe("the compiled stage and the interpreted one", () => {
  it(`agree on ${seeds} random jobs: outputs, dead letters, states, counters`, () => {
    const met = {
      wrote: 0,
      letters: 0,
      failed: 0,
      validated: 0,
      deltas: 0,
      wide: 0,
      windows: 0,
      revised: 0,
      matches: 0,
      joined: 0,
      retracted: 0,
      early: 0,
      ledger: 0,
      answered: 0
    }
    for (let seed = 1; seed <= seeds; seed++) {
      const { counts, epochs } = agreed(randomJob(seed), randomBatches(seed), `seed ${seed}`)
      met.deltas += epochs.filter(({ delta }) => delta?.includes('[["A') === true).length
      const results = recordsTo("windowed", epochs).map(([, text]) => text!)
      met.windows += results.length
      met.revised += results.filter((text) => !text.includes('"revision":0')).length
      met.matches += recordsTo("sequences", epochs).length
      met.joined += recordsTo("joined", epochs).length
      met.retracted += recordsTo("joined", epochs).filter(([, text]) => text!.includes('"retracted":true')).length
      met.early += results.filter((text) => text.includes('"early":true')).length
      met.ledger += Object.values(counts.ledger ?? {}).reduce((sum, count) => sum + count, 0)
      met.wrote += Object.values(counts.out).reduce((sum, count) => sum + count, 0)
      met.letters += counts.deadLettered
      met.failed += counts.failed
      met.validated += counts.validated
    }
    met.wide = slowRows.wide
    met.answered = answered
    assert.isUndefined((globalThis as Record<string, unknown>)["escaped"], "a name became code")
    // the comparison means little where nothing happens
    for (const [what, count] of Object.entries(met)) assert.isAbove(count, seeds / 2, what)
  })

  it("agree on random jobs that join with a table whose rows come, change and go", () => {
    const joins = casesOf(26)
    const met = { wrote: 0, letters: 0, rows: 0, tombstones: 0 }
    for (let seed = 1; seed <= joins; seed++) {
      const rowsOf = (batch: number) => {
        const chance = makeChance(seed * 1000 + batch)
        return Array.from({ length: 6 }, () => randomRow(chance))
      }
      const { counts, epochs } = agreed(randomJob(seed, joinedSales), randomBatches(seed), `join, seed ${seed}`, rowsOf)
      const deltas = epochs.map(({ delta }) => delta ?? "").join("\n")
      assert.notInclude(deltas, "secret", "a field that nobody takes is kept")
      const table = counts.tables!["profiles"]!
      assert.strictEqual(table.in, batches * 6)
      met.letters += table.deadLettered
      met.rows += deltas.split('"segment":').length - 1
      met.tombstones += deltas.split(",null]").length - 1
      met.wrote += Object.values(counts.out).reduce((sum, count) => sum + count, 0)
    }
    for (const [what, count] of Object.entries(met)) assert.isAbove(count, joins / 2, what)
  })

  it("agree on conditions and windows over what a table gave, beside columns and in records", () => {
    const jobs = casesOf(26)
    const met = { windows: 0, gold: 0 }
    for (let seed = 1; seed <= jobs; seed++) {
      const rowsOf = (batch: number) => {
        const chance = makeChance(seed * 1000 + batch)
        return Array.from({ length: 6 }, () => randomRow(chance))
      }
      const timed = sales.pipe(Flow.eventTime("at", { outOfOrderness: "5s" }))
      const job = Job.make("tables", tableWindows(makeChance(seed), timed))
      const { counts } = agreed(job, randomBatches(seed), `table windows, seed ${seed}`, rowsOf)
      met.windows += counts.out["limits"] ?? 0
      met.gold += counts.out["gold"] ?? 0
    }
    for (const [what, count] of Object.entries(met)) assert.isAbove(count, jobs, what)
  })

  it("agree on random sessions: prolonged, joined, taken back, cut", () => {
    const jobs = casesOf(40)
    const met = { results: 0, revised: 0, retracted: 0, letters: 0, ledger: 0 }
    for (let seed = 1; seed <= jobs; seed++) {
      const chance = makeChance(seed * 77)
      const outputs = windowed(chance, sales.pipe(Flow.keyBy("account")), true, "sessions", sessions(chance))
      const { counts, epochs } = agreed(Job.make("sessions", outputs), randomBatches(seed), `sessions, seed ${seed}`)
      const results = recordsTo("windowed", epochs).map(([, text]) => text!)
      met.results += results.length
      met.revised += results.filter((text) => !text.includes('"revision":0')).length
      met.retracted += results.filter((text) => text.includes('"retracted":true')).length
      met.letters += counts.deadLettered
      met.ledger += Object.values(counts.ledger ?? {}).reduce((sum, count) => sum + count, 0)
    }
    for (const [what, count] of Object.entries(met)) assert.isAbove(count, jobs / 2, what)
  })

  it("agree on random deduplications, rankings and process functions", () => {
    const jobs = casesOf(60)
    const met = { kept: 0, revised: 0, ranked: 0, timed: 0, clocked: 0, letters: 0, ledger: 0 }
    for (let seed = 1; seed <= jobs; seed++) {
      const chance = makeChance(seed * 31)
      const job = Job.make("kept", kept(chance, sales.pipe(Flow.keyBy("account")), "kept"))
      const { counts, epochs } = agreed(job, randomBatches(seed), `kept, seed ${seed}`)
      const records = recordsTo("kept", epochs).map(([, text]) => text!)
      met.kept += records.length
      met.revised += records.filter((text) => /"revision":[1-9]/.test(text)).length
      met.ranked += records.filter((text) => /"rank":[2-9]/.test(text)).length
      met.timed += records.filter((text) => text.includes('"note":"event')).length
      met.clocked += records.filter((text) => text.includes('"note":"processing')).length
      met.letters += counts.deadLettered
      met.ledger += Object.values(counts.ledger ?? {}).reduce((sum, count) => sum + count, 0)
    }
    for (const [what, count] of Object.entries(met)) assert.isAbove(count, jobs / 3, what)
  })

  it("agree on random jobs behind a repartition, and on what writes it: stamps, places, bytes, time alone", () => {
    const jobs = casesOf(40)
    const met = { moved: 0, wrote: 0, letters: 0, ledger: 0, windows: 0, matches: 0 }
    for (let seed = 1; seed <= jobs; seed++) {
      const through = (chance: ReturnType<typeof makeChance>, flow: typeof sales) => {
        const changed = chance.pick([
          flow,
          flow.pipe(Flow.filter(expr("online || count % 2 == 0"))),
          flow.pipe(Flow.extend({ score: expr.number("count / 3") }))
        ])
        return changed.pipe(
          Flow.keyBy("account", { name: "again", repartition: true, partitions: 1 + chance.below(3) })
        )
      }
      const { first, parts } = agreedChain(
        randomJob(seed, through, false),
        randomBatches(seed),
        `repartition, seed ${seed}`
      )
      met.moved += first.out["random.again.repartition"] ?? 0
      for (const { counts, epochs } of parts) {
        met.windows += recordsTo("windowed", epochs).length
        met.matches += recordsTo("sequences", epochs).length
        met.ledger += Object.values(counts.ledger ?? {}).reduce((sum, count) => sum + count, 0)
        met.wrote += Object.values(counts.out).reduce((sum, count) => sum + count, 0)
        met.letters += counts.deadLettered
      }
    }
    for (const [what, count] of Object.entries(met)) assert.isAbove(count, jobs / 3, what)
  })

  it("agree on joins of two topics: both that write, and the one that has a port for each", () => {
    const jobs = casesOf(26)
    const met = { joined: 0, letters: 0, ledger: 0, copied: 0, kept: 0, matches: 0, answers: 0, again: 0, retracted: 0 }
    for (let seed = 1; seed <= jobs; seed++) {
      const plans = planJob(twoSides(makeChance(seed)))
      const appends: Array<{ readonly turn: number; readonly append: Append }> = []
      const lines = randomBatches(seed).map((batch) => batch.map((value) => ({ key: null, value })))
      const between = plans.find(({ ports }) => ports.length === 2)!
      for (const [which, plan] of plans.filter(({ writers }) => writers === undefined).entries()) {
        const fast = shardOf(plan, compileStage(plan))
        const slow = shardOf(plan, slowStage(plan))
        for (const [index, batch] of lines.entries()) {
          const own = batch.filter((_, row) => row % 2 === which)
          const last = index === lines.length - 1
          for (const shard of [fast, slow]) shard.process(batchOf(own, shard.offset), 1_768_400_000_000 + index)
          const commit = committed(plan, fast, last)
          appends.push(...commit.outputs.map((append, turn) => ({ append, turn: index * 10 + turn })))
          assert.deepStrictEqual(
            asText(commit),
            asText(committed(plan, slow, last)),
            `seed ${seed}, ${which}, ${index}`
          )
        }
      }
      // what either side wrote takes turns
      const mixed = appends.toSorted((one, other) => one.turn - other.turn).map(({ append }) => append)
      for (const { counts, epochs } of agreedBehind(between, mixed, `two sides, seed ${seed}`)) {
        met.ledger += Object.values(counts.ledger ?? {}).reduce((sum, count) => sum + count, 0)
        met.joined += recordsTo("joined", epochs).length
        met.copied += recordsTo("copies", epochs).length
        met.kept += recordsTo("kept", epochs).length
        met.matches += recordsTo("sequences", epochs).length
        met.answers += recordsTo("answers", epochs).length
        met.retracted += recordsTo("joined", epochs).filter(([, text]) => text!.includes('"retracted":true')).length
        met.again += counts.out["two-sides.again.repartition"] ?? 0
        met.letters += counts.deadLettered
      }
    }
    for (const [what, count] of Object.entries(met)) assert.isAbove(count, jobs / 4, what)
  })

  it("agree on windows and patterns that write a repartition: late results, sessions taken back, the end of time", () => {
    const jobs = casesOf(26)
    const met = { moved: 0, wrote: 0 }
    const totals = { count: count(), total: sum<Sale, "amount">("amount") }
    for (let seed = 1; seed <= jobs; seed++) {
      const chance = makeChance(seed)
      const allowedLateness = chance.pick(["0s", "5s", "30s"] as const)
      const keyed = sales.pipe(Flow.keyBy("account"))
      const results = chance.pick([
        () => keyed.pipe(Flow.window(Window.hopping("30s", { every: "10s", allowedLateness }), totals)),
        () => keyed.pipe(Flow.window(Window.tumbling("20s", { allowedLateness, once: true }), totals)),
        () => keyed.pipe(Flow.window(Window.session("4s", { allowedLateness, max: "12s" }), totals))
      ])()
      const outer = results.pipe(
        Flow.filter(({ revision }) => revision === 0),
        Flow.keyBy("account", { name: "again", partitions: 2 }),
        Flow.window(Window.tumbling("1 minute", { allowedLateness: "0s" }), totalsOf, { name: "outer" }),
        Flow.map(({ account, count, window_end, window_start }) => ({
          account,
          count,
          window_end,
          window_start,
          revision: 0
        })),
        Flow.to(Windowed)
      )
      const { first, parts } = agreedChain(Job.make("outer", [outer]), randomBatches(seed), `results, seed ${seed}`)
      met.moved += first.out["outer.again.repartition"] ?? 0
      for (const { counts } of parts) {
        met.wrote += counts.out["windowed"] ?? 0
        assert.isUndefined(counts.ledger, "no result is late")
      }
    }
    for (const [what, count] of Object.entries(met)) assert.isAbove(count, jobs, what)
  })

  it("agree on random joins: pairs, versions, tables, deletions, bounds, results that go on", () => {
    const jobs = casesOf(60)
    const met = { results: 0, alone: 0, retracted: 0, letters: 0, late: 0, dropped: 0, evicted: 0 }
    for (let seed = 1; seed <= jobs; seed++) {
      const chance = makeChance(seed * 79)
      const outputs = joined(chance, sales.pipe(Flow.keyBy("account")), true, "joins")
      const { counts, epochs } = agreed(Job.make("joins", outputs), randomBatches(seed), `joins, seed ${seed}`)
      const results = recordsTo("joined", epochs).map(([, text]) => text!)
      met.results += results.length
      met.alone += results.filter((text) => /"pair":\[null|,null\]/.test(text)).length
      met.retracted += results.filter((text) => text.includes('"retracted":true')).length
      met.letters += counts.deadLettered
      met.late += counts.ledger?.late ?? 0
      met.dropped += counts.ledger?.dropped ?? 0
      met.evicted += counts.ledger?.evicted ?? 0
    }
    for (const [what, count] of Object.entries(met)) assert.isAbove(count, jobs / 2, what)
  })

  const sale = (more: string) =>
    `{"id":"s","account":"A1", "amount":1.5,"kind":"refund","count":7,"online":true,"at":"2026-01-14T00:00:00Z"${more}}`

  it("write a record that nothing changed as the bytes it came in, with fields that no contract knows", () => {
    const line = sale(',"unknown":{"a": 1}')
    const flow = Flow.from(Sales).pipe(Flow.filter(expr("online")), Flow.catchTags({}), Flow.keyBy("account"))
    const { epochs } = agreed(Job.make("pass", [flow.pipe(Flow.to(Copies))]), [[line]], "unchanged")
    assert.deepStrictEqual(recordsTo("copies", epochs), [["A1", line]])
  })

  it("run a branch for each flow that goes on from it, also under a second name", () => {
    const { first } = Flow.from(Sales).pipe(Flow.route({ first: expr("online") }))
    const outputs = [first.pipe(Flow.to(Copies)), first.pipe(Flow.named("again"), Flow.to(Copies, { name: "second" }))]
    const { epochs } = agreed(Job.make("branches", outputs), [[sale("")]], "two names")
    assert.strictEqual(recordsTo("copies", epochs).length, 2)
  })

  it("run a join for each flow that goes on from it, also under a second name", () => {
    const keyed = Flow.from(Sales).pipe(Flow.keyBy("account"))
    const meetings = keyed.pipe(
      Flow.joinInterval(keyed, { lower: "0s", upper: "0s" }, (one, other) => ({ ...one, note: other.id }))
    )
    const outputs = [
      meetings.pipe(Flow.to(Copies)),
      meetings.pipe(Flow.named("again"), Flow.to(Copies, { name: "second" }))
    ]
    const { epochs } = agreed(Job.make("joins", outputs), [[sale("")]], "two names")
    assert.strictEqual(recordsTo("copies", epochs).length, 2)
  })

  it("add a field named __proto__ like every other: nothing is inherited from it", () => {
    const flow = Flow.from(Sales).pipe(
      Flow.map(({ note: _, ...record }) => record),
      Flow.extend({ ["__proto__"]: () => ({ note: "inherited" }) })
    ) as unknown as typeof sales // a name that only the run knows has no type
    const { epochs } = agreed(Job.make("proto", [flow.pipe(Flow.to(Copies))]), [[sale("")]], "__proto__")
    assert.notInclude(recordsTo("copies", epochs)[0]![1], "inherited")
  })

  it("send to the dead letter what code throws at, what changes its key, what no topic takes, with no value in the message", () => {
    const secret = sale(',"note":"secret"')
    const failing = [
      sales.pipe(
        Flow.filter((record) => {
          throw new RangeError(record.note ?? "")
        }),
        Flow.to(Copies)
      ),
      sales.pipe(
        Flow.map((record) => ({ ...record, account: "secret" })),
        Flow.keyBy("account"),
        Flow.mapWithState(
          { name: "state", schema: Schema.Finite, initial: () => 0, ttl: "1d" },
          (state, record: Flow.RecordOf<typeof sales>) => [state, [record]]
        ),
        Flow.to(Copies)
      ),
      sales.pipe(
        Flow.map((record) => ({ ...record, kind: "secret" as "refund" })), // as code that lies about its types does
        Flow.to(Copies)
      )
    ]
    const { counts, epochs } = agreed(Job.make("failing", failing), [[secret]], "throws")
    const letters = recordsTo("dead-letter", epochs).map(([, letter]) => JSON.parse(letter!) as Record<string, unknown>)
    assert.deepStrictEqual(
      letters.map(({ reason, field }) => [reason, field]),
      [
        ["operator_failed", undefined],
        ["operator_failed", "account"],
        ["operator_failed", "kind"]
      ]
    )
    assert.include(String(letters[0]!["message"]), "the code of filter@sales threw RangeError")
    assert.include(String(letters[1]!["message"]), "state: code before it changed the key")
    for (const { message } of letters) assert.notInclude(String(message), "secret")
    assert.deepInclude(counts, { deadLettered: 3, failed: 3, out: { copies: 0 } })
  })
})
