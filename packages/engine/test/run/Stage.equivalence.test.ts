/** The compiled stage against its slow twin: random jobs over random batches give the same commits, whatever the names. */
import { expr, makeRecordBuilder, type RecordBatch } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Flow, Job } from "../../src/index.ts"
import { planJob } from "../../src/plan/PlanJob.ts"
import type { StagePlan } from "../../src/plan/StagePlan.ts"
import { compileStage } from "../../src/run/CompileStage.ts"
import { interpretAnswer, interpretResult, interpretRow } from "../../src/run/InterpretStage.ts"
import { afterLead } from "../../src/run/Lead.ts"
import { makeShard, type Shard, takeCommit } from "../../src/run/Shard.ts"
import { emptyDetail } from "../../src/run/ShardDetail.ts"
import type { StageContext, StageProgram } from "../../src/run/StageProgram.ts"
import { makeLookupState } from "../../src/lookup/LookupState.ts"
import { makeKeyedState } from "../../src/state/KeyedState.ts"
import { makeTableState } from "../../src/state/TableState.ts"
import { makePatternState } from "../../src/pattern/PatternState.ts"
import { makeWindowState } from "../../src/window/WindowState.ts"
import { makeChance } from "../support/Chance.ts"
import { type Line, makeTestDeadLetter, makeTestLedgerEntry, TestDeadLetters, TestLedger } from "../support/Harness.ts"
import { attachFakeAskers, passOn } from "../support/FakeAskers.ts"
import { Copies, randomJob, randomLine, Sales } from "../support/RandomJobs.ts"
import { sessions, windowed } from "../support/RandomWindows.ts"
import { joinedSales, randomRow } from "../support/RandomTables.ts"

const sales = Flow.from(Sales)
const seeds = 135
const batches = 3
const batchRecords = 30

let wideRows = 0
let answered = 0

/** Every valid row through the row interpreter, with event time and watermark as `Flow.eventTime` describes them. */
const slowStage = (plan: StagePlan): StageProgram => {
  const interpret = interpretRow(plan)
  const windows = plan.operators
    .filter(({ node }) => node.op === "window")
    .map((operator) => ({ state: operator.state, emit: interpretResult(plan, operator) }))
  const patterns = plan.operators
    .filter(({ node }) => node.op === "pattern")
    .map((operator) => ({ state: operator.state, emit: interpretResult(plan, operator) }))
  const answers = plan.lookups.map(({ operator }) => interpretAnswer(plan, plan.operators[operator]!))
  const fire = (context: StageContext, now: number, watermark: number) => {
    for (const { emit, state } of windows) {
      const window = context.windows[state]!
      if (watermark >= window.nextAt) window.fire(watermark, emit(context, now))
    }
    for (const { emit, state } of patterns) context.patterns[state]!.advance(watermark, context, emit(context, now))
  }
  const field = plan.eventTimeField
  return {
    run: (batch, context, now) => {
      for (let row = 0; row < batch.length; row++) {
        if (batch.valid[row] === 0) continue
        wideRows += batch.wide[row]!
        const eventTime = field === undefined ? Number.NaN : Number(context.record(batch, row)[field])
        interpret(batch, row, context, now, eventTime, context.time.maxEventTime - plan.outOfOrdernessMs)
        const { lead, time } = context
        context.firedAt = batch.source.offsets[row]!
        if (eventTime > time.maxEventTime && eventTime >= time.maxEventTime + plan.leadMs && time.maxEventTime > 0) {
          time.maxEventTime = afterLead(batch, row, context, plan.name, eventTime)
        } else {
          lead.inRow = 0
          time.maxEventTime = Math.max(time.maxEventTime, eventTime)
        }
        fire(context, now, time.maxEventTime - plan.outOfOrdernessMs)
      }
    },
    advance: fire,
    close: (context, now) => {
      for (const { emit, state } of windows) context.windows[state]!.close(emit(context, now))
      for (const { emit, state } of patterns) context.patterns[state]!.close(context, emit(context, now))
    },
    answer: (lookup, entry, context, now) => answers[lookup]!(entry, context, now)
  }
}

const shardOf = (plan: StagePlan, program: StageProgram): Shard =>
  makeShard({
    plan,
    program,
    restored: {
      id: { uid: plan.uid, stage: plan.name, shard: 0 },
      epoch: 0,
      offset: 0,
      snapshots: [],
      states: plan.states.map((state) => makeKeyedState(state.name, state.declaration)),
      windows: plan.windows.map(makeWindowState),
      patterns: plan.patterns.map(makePatternState),
      lookups: plan.lookups.map(({ keyOf, name, policy }) => makeLookupState(name, policy.ordered, keyOf)),
      tables: plan.tables.map(({ fields, name }) => makeTableState(name, fields)),
      tableOffsets: plan.tables.map(() => 0),
      detail: emptyDetail
    },
    deadLetterTopic: TestDeadLetters,
    makeDeadLetter: makeTestDeadLetter,
    ledger: { topic: TestLedger, make: makeTestLedgerEntry },
    startedAtMs: 0
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

/** All that an epoch would write, as text. */
const written = (plan: StagePlan, shard: Shard) => {
  const topics = [plan.source, ...plan.tables.map(({ topic }) => topic)].map(({ name, partitions }) => ({
    name,
    id: name,
    partitions,
    createdAt: 0
  }))
  const commit = takeCommit(shard, plan, topics, false)
  return {
    detail: commit.detail,
    delta: commit.delta === null ? null : text.decode(commit.delta),
    outputs: commit.outputs.map(({ partition, records, topic: to }) => ({
      to: `${to}/${partition}`,
      records: Array.from({ length: records.length }, (_, row) => [
        records.keyStarts[row]! < 0
          ? null
          : text.decode(records.bytes.subarray(records.keyStarts[row], records.keyEnds[row])),
        text.decode(records.bytes.subarray(records.valueStarts[row], records.valueEnds[row]))
      ])
    }))
  }
}

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
      met.early += results.filter((text) => text.includes('"early":true')).length
      met.ledger += Object.values(counts.ledger ?? {}).reduce((sum, count) => sum + count, 0)
      met.wrote += Object.values(counts.out).reduce((sum, count) => sum + count, 0)
      met.letters += counts.deadLettered
      met.failed += counts.failed
      met.validated += counts.validated
    }
    met.wide = wideRows
    met.answered = answered
    assert.isUndefined((globalThis as Record<string, unknown>)["escaped"], "a name became code")
    // the comparison means little where nothing happens
    for (const [what, count] of Object.entries(met)) assert.isAbove(count, seeds / 2, what)
  })

  it("agree on random jobs that join with a table whose rows come, change and go", () => {
    const joins = 40
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

  it("agree on random sessions: prolonged, joined, taken back, cut", () => {
    const jobs = 60
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
