/** Conditions over earlier steps: what is compiled over kept fields against the interpreter over one flat record. */
import { checkExpr, Decimal, expr, Field, formatProblem, interpretCondition, RecordShape } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { Flow, Job, Pattern } from "../../src/index.ts"
import { compileLinked, linkedShape, ownPart } from "../../src/pattern/LinkedCondition.ts"
import { heldOfText } from "../../src/pattern/HeldRecord.ts"
import type { Take } from "../../src/pattern/PartialMatch.ts"
import { type Chance, makeChance } from "../support/Chance.ts"
import { Matches, Signals } from "../support/Sequences.ts"

const shape = RecordShape.of(
  Schema.Struct({
    country: Field.text(),
    note: Field.optional(Field.text()),
    amount: Field.decimal(38, 2),
    n: Field.optional(Field.int()),
    ok: Field.optional(Field.boolean),
    at: Field.timestamp
  })
)

const { spec } = Pattern.on(Signals)
  .begin("first", expr("n == 0"))
  .followedBy("maybe", expr("n == 1"))
  .optional()
  .followedBy("several", expr("n == 2"))
  .times(2)
  .notFollowedBy("none", expr("n == 3"))
  .followedBy("last", expr("n == 4"))
  .within("1h")

const conditions = [
  "country != first.country",
  "country == 'US' && note != maybe.note",
  "amount > first.amount * 2",
  "amount - maybe.amount >= 0.01 || !has(maybe.amount)",
  "n + first.n > 3",
  "ok == maybe.ok",
  "at - first.at < duration('2s') && n > 0",
  "first.country in ['US', 'DE'] && first.country == maybe.country",
  "maybe.note.startsWith('a') || note.contains(first.country)",
  "has(maybe.n) ? n == maybe.n : n == first.n",
  "maybe.note == null && note == null"
]

const recordOf = (chance: Chance) => ({
  country: chance.pick(["US", "DE", "a"]),
  note: chance.pick([null, "a", "b US", ""]),
  amount: Decimal.make(chance.pick([0, 1, 250, 90_071_992_547_409_931n]), 2),
  n: chance.pick([null, 0, 1, 5]),
  ok: chance.pick([null, true, false]),
  at: chance.below(4000)
})

const checkedOf = (source: string) => {
  const result = checkExpr(expr(source), linkedShape(spec.steps, 4, shape))
  if (Result.isFailure(result)) throw new Error(result.failure.map(formatProblem).join("\n"))
  const checked = result.success
  if (checked.result !== "boolean") throw new Error("no condition")
  return checked
}

const held = (record: object) => {
  const place = { id: 0, key: "", time: 0, offset: 0, port: 0, mask: 0, turn: 0, changed: false }
  return heldOfText("", { ...place, record: record as Readonly<Record<string, unknown>> })
}

/** One record with all that a condition may ask, for the interpreter. */
const flatRecord = (record: object, earlier: ReadonlyArray<object | null>): object =>
  Object.fromEntries([
    ...Object.entries(record),
    ...earlier.flatMap((taken, step) =>
      Object.entries(taken ?? {}).map(([name, value]) => [`${spec.steps[step]!.name}.${name}`, value] as const)
    )
  ])

const problemsOf = (source: string): string => {
  const result = checkExpr(expr(source), linkedShape(spec.steps, 4, shape))
  return Result.isFailure(result) ? result.failure.map(({ message }) => message).join("; ") : ""
}

describe("a condition over earlier steps", () => {
  it("is compiled to what the interpreter says, with steps that took nothing and fields that are null", () => {
    const told = { true: 0, false: 0 }
    for (const source of conditions) {
      const checked = checkedOf(source)
      const compiled = compileLinked(checked, spec.steps, shape)
      const own = ownPart(checked)
      for (let seed = 1; seed <= 60; seed++) {
        const chance = makeChance(seed)
        const [record, first] = [recordOf(chance), recordOf(chance)]
        const maybe = chance.once(3) ? null : recordOf(chance)
        const begun: Take = { record: held(first), step: 0, count: 1, before: undefined }
        const last: Take = maybe === null ? begun : { record: held(maybe), step: 1, count: 1, before: begun }
        const found = compiled(held(record), last, (each) => each.record!)
        const flat = flatRecord(record, [first, maybe])
        assert.strictEqual(found, interpretCondition(checked)(flat), `${source}, seed ${seed}`)
        // what a record fails by itself, it fails whatever was taken
        if (found && own !== undefined) assert.isTrue(interpretCondition(own)(record), `${source}, seed ${seed}`)
        told[`${found}`]++
      }
    }
    assert.isAbove(told.true, 100)
    assert.isAbove(told.false, 100)
  })

  it("asks the record first for what it can tell alone", () => {
    assert.deepStrictEqual(ownPart(checkedOf("country == 'US' && note != maybe.note && n > 1"))?.fields, [
      "country",
      "note",
      "n"
    ])
    assert.isUndefined(ownPart(checkedOf("country != first.country")))
    assert.isUndefined(ownPart(checkedOf("country == 'US' || note != maybe.note")))
  })

  it("is refused where it names no step of one record, or no field", () => {
    assert.include(problemsOf("n == first.m"), 'no field "first.m": did you mean "first.n"?')
    for (const name of ["several", "none", "last", "other"])
      assert.include(problemsOf(`n == ${name}.n`), `no field "${name}.n"`)
    const job = (condition: string) =>
      Job.make("linked", [
        Flow.from(Signals).pipe(
          Flow.eventTime("at", { outOfOrderness: "1s" }),
          Flow.keyBy("account"),
          Flow.pattern(Pattern.on(Signals).begin("a", expr("n == 0")).followedBy("b", expr(condition)).within("1m"), {
            name: "linked"
          }),
          Flow.map(({ account }) => ({ account, steps: "" })),
          Flow.to(Matches)
        )
      ])
    assert.throws(() => job("n > a.nn"), "linked: ")
    assert.doesNotThrow(() => job("n > a.n"))
  })
})
