// Random jobs for the equivalence test: trees of every operator, conditions as expressions and as code, code that
// throws at some records, names that would be code if they were not quoted. Seeded: a failure is its seed.
import { Decimal, expr, Field, Topic, type Expr } from "@frazil/core"
import { Result, Schema } from "effect"
import { Flow, Job, Lookup } from "../../src/index.ts"
import type { Outcome } from "../../src/lookup/InFlight.ts"
import { type Chance, makeChance } from "./Chance.ts"
import { TestDeadLetters } from "./Harness.ts"
import { joined } from "./RandomJoins.ts"
import { sequenced } from "./RandomSequences.ts"
import { windowed, windows } from "./RandomWindows.ts"

export class Sale extends Schema.Opaque<Sale>()(
  Schema.Struct({
    id: Field.text(),
    account: Field.text(),
    amount: Field.decimal(38, 2),
    fee: Field.optional(Field.decimal(20, 4)),
    kind: Field.oneOf(["purchase", "refund"]),
    count: Field.int(),
    score: Field.optional(Field.double()),
    online: Field.boolean,
    flag: Field.optional(Field.boolean),
    note: Field.optional(Field.text()),
    at: Field.timestamp,
    seen: Field.optional(Field.timestamp),
    nested: Field.optional(Field.json(Schema.Unknown)),
    constructor: Field.optional(Field.text()),
    toString: Field.optional(Field.text())
  })
) {}
// refuses what many sales hold, so that writing it throws
class Picky extends Schema.Opaque<Picky>()(
  Schema.Struct({
    account: Field.text(),
    count: Field.int({ min: 0, max: 400 }),
    amount: Field.decimal(38, 2, { positive: true }),
    note: Field.optional(Field.text({ lengthMax: 5 }))
  })
) {}

export const Sales = Topic.make("sales", { schema: Sale, key: "account", eventTime: "at", partitions: 2 })
/** Takes sales as the bytes they came in. */
export const Copies: Topic<Sale, "copies"> = { ...Sales, name: "copies", partitions: 3 }
const targets = [
  Copies,
  Topic.make("copies.by-note", { schema: Sale, key: ["account", "count"], partitions: 2 }),
  Topic.make("closed", { schema: Sale, key: undefined, closed: true }),
  Topic.make("picky", { schema: Picky, key: "account" })
] as const

class Odd extends Schema.TaggedError<Odd>()("Odd", { message: Schema.String }) {}
class Long extends Schema.TaggedError<Long>()("Long", { message: Schema.String }) {}

type Sold = Flow.Flow<Sale>
type Keyed = Flow.Flow<Sale, never, never, { readonly account: string }>

const conditions = [
  "amount > 100",
  "amount * 2 >= 90071992547409.92",
  "fee < amount",
  "fee == null || fee > 0.5",
  "has(note)",
  "!has(flag)",
  "flag",
  "online && !flag",
  "kind == 'purchase'",
  "kind in ['refund']",
  "note == 'it\\'s \"quoted\"'",
  "note.startsWith('a') || note.contains('ü')",
  "score > 0.5 && count % 3 == 1",
  "count / 7 > 3",
  "score == 0.0",
  "at > timestamp('2026-01-14T00:00:30Z')",
  "constructor == 'Ford'",
  "has(toString)"
]
const texts = ["note", "kind + ':' + account", "'x'", "string(amount)", "has(note) ? note : 'none'", "string(count)"]
const numbers = ["count + 1", "count / 3", "score", "score * 2.0", "-count"]

/** Names that break code wherever they are put into it as they are. */
const hostileNames = [
  '"); throw new Error("escaped"); ("',
  "`${globalThis.escaped = 1}`",
  "\u2028'; escaped()",
  "__proto__",
  "*/ escaped() /*",
  "\\",
  "constructor",
  "k0"
]

const bang = (record: Sale) => {
  if (record.count % 11 === 3) throw new RangeError(`no ${record.note}`)
}

interface Grower {
  readonly chance: Chance
  names: number
  left: number
  /** Offsets tell where a record was: not behind a repartition. */
  readonly placed: boolean
}

const codeCondition = (chance: Chance): ((record: Sale) => boolean) =>
  chance.pick<(record: Sale) => boolean>([
    (record) => record.count % 2 === 0,
    (record) => record.amount.gt(1000) || record.note !== null,
    (record) => {
      bang(record)
      return record.online
    },
    // what JavaScript takes for true is not true
    (record) => record.note as unknown as boolean
  ])

const condition = ({ chance }: Grower, known: boolean): Expr<Sale, boolean> | ((record: Sale) => boolean) =>
  known && !chance.once(3) ? expr<Sale>(chance.pick(conditions)) : codeCondition(chance)

const changeByCode = (chance: Chance): ((record: Sale) => Sale) =>
  chance.pick<(record: Sale) => Sale>([
    (record) => ({ ...record, count: record.count * 3, note: `${record.note}!` }),
    (record) => {
      bang(record)
      return { ...record, amount: record.amount.plus(record.amount) }
    },
    // another account: another key's state, which this shard does not have
    (record) => (record.count % 5 === 0 ? { ...record, account: `${record.account}'` } : record),
    // leaves out what it could say null of
    ({ note: _, ...record }) => ({ ...record, amount: Decimal.of("-1.00", 2), score: null })
  ])

const extended = (grower: Grower, flow: Sold, known: boolean): Sold => {
  const { chance } = grower
  const code = (record: Sale) => {
    if (record.count % 13 === 5) throw new Error("no")
    return { note: "inherited", count: record.id.length }
  }
  const name = chance.pick(hostileNames)
  // a name that only the run knows has no type; the other fields stay
  if (!known) return flow.pipe(Flow.extend({ [name]: code })) as unknown as Sold
  return chance.pick<() => Sold>([
    // as above
    () => flow.pipe(Flow.extend({ note: expr.string(chance.pick(texts)), [name]: code })) as unknown as Sold,
    () => flow.pipe(Flow.extend({ score: expr.number(chance.pick(numbers)) })),
    () => flow.pipe(Flow.extend({ flag: expr(chance.pick(conditions)), score: expr.number("count + 1") })),
    () => flow.pipe(Flow.extend({ amount: expr.decimal(2, "amount + amount"), fee: expr.decimal(4, "fee") }))
  ])()
}

/** More conditions than one generated function takes; some decisions throw. */
const decided = ({ chance }: Grower, flow: Sold): Sold =>
  flow.pipe(
    Flow.decide({
      conditions: Array.from({ length: chance.pick([0, 3, 70]) }, () => expr(chance.pick(conditions))),
      decide: (condition, record: Sale, { offset, partition, topic }): Sale => {
        if (condition % 7 === 5) bang(record)
        return { ...record, count: condition, note: `${topic}/${partition}/${offset}` }
      }
    })
  )

const failing = (grower: Grower, flow: Sold): Sold => {
  const { chance } = grower
  const failed = flow.pipe(
    Flow.mapResult((record: Sale): Result.Result<Sale, Odd | Long> => {
      bang(record)
      if (record.count % 4 === 1) return Result.fail(new Odd({ message: "odd count" }))
      if ((record.note?.length ?? 0) > 3) return Result.fail(new Long({ message: "long note" }))
      return Result.succeed({ ...record, count: record.count + 100 })
    })
  )
  const odd = (record: Sale): Sale => {
    if (record.count % 8 === 1) throw new Error("no")
    return { ...record, note: "odd" }
  }
  const letter = ({ record, error }: { readonly record: Sale; readonly error: Odd | Long }) => ({
    account: record.account,
    count: record.count,
    amount: record.amount,
    note: error._tag
  })
  const caught = failed.pipe(Flow.catchTag(["Odd", "Long"], ({ record }) => odd(record)))
  const someCaught = failed.pipe(
    Flow.filter(codeCondition(chance)),
    Flow.catchTag("Odd", ({ record }) => odd(record)),
    Flow.orDeadLetter(TestDeadLetters)
  )
  const ownLetter = failed.pipe(Flow.catchTags({ Long: ({ record }) => record }), Flow.orDeadLetter(targets[3], letter))
  const lettered = failed.pipe(Flow.orDeadLetter(TestDeadLetters))
  const caughtTwice = failed.pipe(
    Flow.catchTag("Long", ({ record }) => odd(record)),
    Flow.catchTag("Odd", ({ record }) => record)
  )
  return chance.pick<Sold>([caught, someCaught, ownLetter, lettered, caughtTwice])
}

class Twin extends Schema.Opaque<Twin>()(
  Schema.Struct({ score: Field.optional(Field.double()), answered: Field.text() })
) {}
/** Asked by the flows that `asked` makes; the equivalence test answers in its place. */
export class Twins extends Lookup.Service<Twins, number, Twin, Odd | Long>()("test/Twins", {
  answer: Twin,
  failures: { Odd: "final", Long: "transient" },
  timeout: (message) => new Long({ message }),
  unavailable: (message) => new Long({ message })
}) {}

/** What a lookup of random jobs gives: an answer, a failure, or something that the service threw. */
export const twinOf = (count: number): Outcome => {
  if (count % 7 === 3) return { _tag: "Threw", error: new RangeError("no twin") }
  if (count % 5 !== 2) return { _tag: "Answered", answer: { score: count / 4, answered: `twin of ${count}` } }
  const error = count % 2 === 0 ? new Odd({ message: "odd twin" }) : new Long({ message: "long twin" })
  // the test writes the record in
  return {
    _tag: "Failed",
    failed: { _tag: error._tag, error, record: {}, attempts: 1 + (count % 3), failed_at: count }
  }
}

type Found = Flow.Flow<Sale, Flow.Failed<Odd, Sale> | Flow.Failed<Long, Sale>, Twins>

const asked = (grower: Grower, flow: Sold): Sold => {
  const { chance } = grower
  const key = (record: Sale) => {
    if (record.count % 19 === 4) bang({ ...record, count: 3 })
    return record.count
  }
  const options = { key: chance.once(2) ? key : ("count" as const), name: `lookup ${grower.names++}` }
  // a score that both have is the answer's, as the run has it
  const apart = chance.once(2)
  // a name that only the run knows has no type
  const found = flow.pipe(Flow.lookupAs(apart ? "twin" : "score", Twins, options)) as unknown as Found
  const handled = chance.pick<() => Flow.Flow<Sale, never, Twins>>([
    () => found.pipe(Flow.orDeadLetter(TestDeadLetters)),
    () => found.pipe(Flow.catchTag(["Odd", "Long"], ({ record }) => record)),
    () =>
      found.pipe(
        Flow.filter(codeCondition(chance)),
        Flow.catchTag("Long", ({ attempts, record }): Sale => ({ ...record, count: attempts })),
        Flow.orDeadLetter(TestDeadLetters)
      )
  ])()
  // the test gives the answers: nothing is needed to run it
  return handled as unknown as Sold
}

const State = Schema.Struct({ count: Schema.Number, amount: Schema.BigInt })

const stateful = (grower: Grower, flow: Sold): Sold => {
  const { chance } = grower
  // the account may have been changed by code: that is for the run to find
  const keyed: Keyed = flow.pipe(Flow.keyBy("account"))
  const records = chance.pick<(record: Sale, count: number) => ReadonlyArray<Sale>>([
    (record, count) => [{ ...record, count }],
    (record, count) => (count % 2 === 0 ? [] : [record, record]),
    (record) => [record]
  ])
  return keyed.pipe(
    Flow.mapWithState(
      {
        name: `state ${chance.pick(hostileNames)} ${grower.names++}`,
        schema: State,
        initial: () => ({ count: 0, amount: 0n }),
        ttl: chance.pick(["20s", "2m", "1d"])
      },
      (state, record: Sale, time) => {
        if (state.count % 17 === 16) bang(record)
        const late = time.eventTime < time.watermark ? 1000 : 0
        const amount = state.amount + BigInt(record.amount.unscaled)
        return [{ count: state.count + 1, amount }, records(record, state.count + late)]
      }
    )
  )
}

/** `known`: its fields are, so that one can be added up. */
const ended = (grower: Grower, flow: Sold, known: boolean): ReadonlyArray<Flow.Output> => {
  const { chance } = grower
  if (chance.once(6)) return [Flow.validate(flow)]
  if (chance.once(4)) {
    const name = `total ${chance.pick(hostileNames)} ${grower.names++}`
    return [flow.pipe(known ? Flow.total(name, { sum: chance.pick(["amount", "fee", "count"]) }) : Flow.total(name))]
  }
  const name = chance.once(3) ? { name: `${chance.pick(hostileNames)} ${grower.names++}` } : {}
  return chance.pick<() => ReadonlyArray<Flow.Output>>([
    () => [flow.pipe(Flow.to(targets[0], name))],
    () => [flow.pipe(Flow.to(targets[1], name))],
    () => [flow.pipe(Flow.to(targets[2], name))],
    () => [flow.pipe(Flow.to(targets[3], name))]
  ])()
}

const behindLookup = (node: Flow.Output["node"]): boolean => node.op === "lookup" || node.inputs.some(behindLookup)

/** What a flow grows into. `known`: its records' fields are, so that expressions may read them. */
const grow = (grower: Grower, flow: Sold, known: boolean): ReadonlyArray<Flow.Output> => {
  const { chance } = grower
  if (grower.left-- <= 0) return ended(grower, flow, known)
  const named = chance.once(4)
    ? flow.pipe(
        Flow.filter(() => true),
        Flow.named(`${chance.pick(hostileNames)} ${grower.names++}`)
      )
    : flow
  return chance.pick<() => ReadonlyArray<Flow.Output>>([
    () => grow(grower, named.pipe(Flow.filter(condition(grower, known))), known),
    () => {
      const {
        first,
        __proto__: second,
        rest
      } = named.pipe(
        Flow.route({ first: condition(grower, known), ["__proto__"]: condition(grower, known), rest: Flow.otherwise })
      )
      const more = chance.once(2) ? grow(grower, rest, known) : []
      return [...grow(grower, first, known), ...grow(grower, second, known), ...more]
    },
    () => grow(grower, extended(grower, named, known), known),
    () => grow(grower, named.pipe(Flow.stamp("seen")), known),
    () => grow(grower, named.pipe(Flow.map(changeByCode(chance))), false),
    () => grow(grower, named.pipe(Flow.flatMap((record) => (record.online ? [record, record] : []))), false),
    () => (known ? grow(grower, decided(grower, named), false) : ended(grower, named, known)),
    () => grow(grower, failing(grower, named), false),
    () => grow(grower, asked(grower, named), false),
    () => grow(grower, stateful(grower, named), false),
    () =>
      // refused there
      behindLookup(named.node)
        ? ended(grower, named, known)
        : windowed(
            chance,
            named.pipe(Flow.keyBy("account")),
            known,
            `window ${grower.names++}`,
            windows(chance),
            grower.placed
          ),
    () =>
      // refused there too
      behindLookup(named.node)
        ? ended(grower, named, known)
        : sequenced(chance, named.pipe(Flow.keyBy("account")), known, `pattern ${grower.names++}`, conditions),
    () =>
      // and there
      behindLookup(named.node)
        ? ended(grower, named, known)
        : joined(chance, named.pipe(Flow.keyBy("account")), known, `join ${grower.names++}`),
    // one flow, two consumers
    () => [...grow(grower, named, known), ...grow(grower, named, known)],
    () => grow(grower, named.pipe(Flow.catchTags({})), false)
  ])()
}

/** A job over `Sales`, or what `begin` makes of them; the same for the same seed. */
export const randomJob = (
  seed: number,
  begin: (chance: Chance, sales: Sold) => Sold = (_, sales) => sales,
  placed = true
): Job.Job => {
  const chance = makeChance(seed)
  const grower: Grower = { chance, names: 0, left: 4 + chance.below(10), placed }
  const source = chance.once(2)
    ? Flow.from(Sales)
    : Flow.from(Sales).pipe(Flow.eventTime("at", { outOfOrderness: chance.pick(["0s", "7s"]) }))
  return Job.make("random", grow(grower, begin(chance, source), true))
}

const textPool = ['"a"', '"ab"', '"abcd"', '"it\'s \\"quoted\\""', '"Müller"', '"\\u0041"', '"Ford"', '""', "null"]
const decimals = ["0.00", "1.5", "100.01", "999999", '"90071992547409.93"', '"12345678901234567890.12"', "-3.25"]

/** A line of the topic: mostly a sale, sometimes broken in one way. */
export const randomLine = (chance: Chance, index: number): string => {
  const ahead = chance.once(25) ? 2 * 3_600_000 : 0
  const at = new Date(Date.UTC(2026, 0, 14) + index * 1000 - chance.below(20) * 1000 + ahead).toISOString()
  const members: Array<string> = [
    `"id":"s${index}"`,
    `"account":"A${chance.below(4)}"`,
    `"amount":${chance.pick(decimals)}`,
    `"kind":${chance.pick(['"purchase"', '"refund"'])}`,
    `"count":${chance.below(500)}`,
    `"online":${chance.pick(["true", "false"])}`,
    `"at":"${at}"`
  ]
  const optional = (name: string, ...values: ReadonlyArray<string>) => {
    if (!chance.once(3)) members.push(`"${name}":${chance.pick(values)}`)
  }
  optional("fee", "0.1", "0.5001", "null", '"9999999999999999.0001"')
  optional("score", "0.25", "0", "-0.0", "1e3", "null")
  optional("flag", "true", "false", "null")
  optional("note", ...textPool)
  optional("nested", '{"a":[1]}', "[]", "null")
  if (chance.once(4)) optional("constructor", ...textPool)
  if (chance.once(4)) optional("toString", ...textPool)
  if (chance.once(6)) members.push('"extra":{"__proto__":1}', '"__proto__":{"note":"no"}')
  if (chance.once(8)) members.reverse()
  const line = `{${members.join(chance.once(8) ? " , " : ",")}}`
  if (chance.once(12)) return line.slice(0, -4)
  if (chance.once(20)) return line.replace('"count":', '"count":"many","no":')
  return line
}
