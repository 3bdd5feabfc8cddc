/** Random expressions on random records: interpreter and both compiled forms must agree, and cel-js where it means the same. */
import { Environment } from "@marcbachmann/cel-js"
import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { checkExpr, expr, formatProblem, interpretValue } from "../../src/index.ts"
import { columnBatchOf, onColumns, onRecord, plain, shape } from "./Fixture.ts"
import { type Kind, makeChance, randomRecord, randomSource } from "./Sources.ts"

const declared = (kind: Kind, source: string) => {
  if (kind === "text") return expr.string(source)
  if (kind === "decimal") return expr.decimal(38, source)
  return kind === "bool" ? expr(source) : expr.number(source)
}

/** Checked, or undefined for refusals that a random expression may run into: scales that are too large, `7 / 2` beside a decimal. */
const checkedOrRefused = (kind: Kind, source: string) => {
  const result = checkExpr(declared(kind, source), shape)
  if (Result.isSuccess(result)) return result.success
  const messages = result.failure.map(formatProblem).join("\n")
  if (
    /fraction digits|nothing is rounded|38 digits|levels deep|is too large|decimals are not divided|% applies to/.test(
      messages
    )
  )
    return undefined
  throw new Error(`refused: ${messages}`)
}

describe("interpreter, compiled over records, compiled over columns", () => {
  it.each([
    ["bool", 1, 4],
    ["bool", 2, 2],
    ["bool", 3, 6],
    ["int", 4, 3],
    ["double", 5, 3],
    ["decimal", 6, 3],
    ["text", 7, 3]
  ] as const)("agree on %s expressions (seed %i, depth %i)", (kind, seed, depth) => {
    const chance = makeChance(seed)
    const records = Array.from({ length: 40 }, () => randomRecord(chance))
    const batch = columnBatchOf(records)
    let accepted = 0
    const outcomes = new Set<unknown>()
    for (let round = 0; round < 300; round++) {
      const source = randomSource(chance, kind, depth)
      const checked = checkedOrRefused(kind, source)
      if (checked === undefined) continue
      accepted++
      const reference = interpretValue(checked)
      const compiled = onRecord(checked)
      const columns = onColumns(checked)(batch)
      for (const [row, record] of records.entries()) {
        const wanted = plain(reference(record))
        outcomes.add(wanted)
        const found = { record: plain(compiled(record)), columns: batch.wide[row] === 1 ? wanted : plain(columns(row)) }
        if (!Object.is(found.record, wanted) || !Object.is(found.columns, wanted)) {
          expect({ source, row, ...found }).toEqual({ source, row, record: wanted, columns: wanted })
        }
        if (checked.nullReason === undefined && wanted === null) {
          expect.fail(`${source} is null for row ${row}, and the checker said it never is`)
        }
      }
    }
    expect(accepted).toBeGreaterThan(200)
    expect(outcomes.size).toBeGreaterThan(1)
  })
})

describe("cel-js's own evaluation", () => {
  // what CEL has too, and means alike: no decimals, dates, nulls or microseconds; its failures are our unknowns
  const environment = new Environment()
    .registerVariable("flag", "bool")
    .registerVariable("online", "bool")
    .registerVariable("count", "int")
    .registerVariable("total", "int")
    .registerVariable("lat", "double")
    .registerVariable("score", "double")
    .registerVariable("country", "string")
    .registerVariable("merchant", "string")
    .registerVariable("at", "google.protobuf.Timestamp")
    .registerVariable("seen", "google.protobuf.Timestamp")

  const shared = (source: string) =>
    !/amount|fee|huge|born|extra|date\(|has\(|null|\?|[0-9]{6,}|e300|e-300|string\((?!"|country|merchant|count|total)|\.get|～|😀|3d|000001|in \[\]|int\(\(?(?!count|total)|double\(\(?(?!count|total)/.test(
      source
    ) &&
    // a double divided by 0 is infinite in CEL, and without a value here
    !(source.includes("/") && /lat|score|[0-9]\.[0-9]/.test(source))

  it("gives the same conditions", () => {
    const chance = makeChance(11)
    let compared = 0
    for (let round = 0; round < 4000; round++) {
      const source = randomSource(chance, "bool", 3)
      if (!shared(source) || !environment.check(source).valid) continue
      const checked = checkedOrRefused("bool", source)
      if (checked === undefined) continue
      const ours = interpretValue(checked)
      const theirs = environment.parse(source)
      for (let row = 0; row < 5; row++) {
        const record = {
          ...randomRecord(chance, true),
          count: chance.pick([0, 1, 7, -3, 60]),
          total: chance.below(100),
          score: chance.below(9) / 4,
          merchant: chance.pick(["", "a", "ab", "Müller"]),
          country: chance.pick(["", "b", "DE"])
        }
        const milliseconds = { at: 1_768_434_310_250 - chance.below(1e9), seen: 1_768_434_310_250 - chance.below(1e9) }
        let wanted: unknown
        try {
          wanted = theirs({
            ...record,
            count: BigInt(record.count),
            total: BigInt(record.total),
            at: new Date(milliseconds.at),
            seen: new Date(milliseconds.seen)
          })
        } catch {
          wanted = false
        }
        const found = ours({ ...record, ...milliseconds })
        if (found !== wanted) expect({ source, record, found }).toEqual({ source, record, found: wanted })
        compared++
      }
    }
    expect(compared).toBeGreaterThan(1500)
  })
})
