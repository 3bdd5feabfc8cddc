/**
 * Rows a second of compiled conditions, over columns and over records, and of the interpreter.
 * Run: `bun packages/core/test/expr/Expr.bench.ts`. Random rows, more than a branch predictor can learn.
 */
import { Result } from "effect"
import {
  checkExpr,
  columnAccess,
  compileCondition,
  Decimal,
  expr,
  interpretCondition,
  makeCodeScope,
  recordAccess
} from "../../src/index.ts"
import { columnBatchOf, record, shape } from "./Fixture.ts"
import { makeChance } from "./Sources.ts"

const rows = 65_536
const chance = makeChance(1)
const records = Array.from({ length: rows }, () =>
  record({
    amount: Decimal.make(chance.below(2_000_000), 2),
    country: chance.pick(["DE", "FR", "US", "AT", "GB"]),
    kind: chance.pick(["purchase", "refund", "transfer"]),
    merchant: `Merchant ${chance.below(1000)}`,
    total: chance.below(10) === 0 ? null : chance.below(100),
    lat: chance.below(180) - 90
  })
)
const batch = columnBatchOf(records)

const rate = (run: () => number): string => {
  for (let warm = 0; warm < 20; warm++) run()
  let best = 0
  for (let round = 0; round < 5; round++) {
    const started = performance.now()
    let done = 0
    while (performance.now() - started < 100) {
      run()
      done += rows
    }
    best = Math.max(best, done / (performance.now() - started) / 1000)
  }
  return `${best.toFixed(1)} M/s`
}

for (const source of [
  "amount > 10000 && country == 'DE' && kind == 'purchase'",
  "amount > 10000 || country != 'DE' || kind in ['refund', 'transfer']",
  "amount > 10000 && total > 50 && lat > 0",
  "amount + fee > 10000.00 && country == 'US'",
  "at > timestamp('2023-11-20T00:00:00Z') && at.getHours() < 6",
  "at.getHours('Europe/Vienna') < 6",
  "merchant.startsWith('Merchant 9')",
  "merchant.matches('^Merchant [0-9]5$')",
  "size(merchant) > 11"
]) {
  const checked = Result.getOrThrow(checkExpr(expr(source), shape))
  if (checked.result !== "boolean") throw new Error("a condition was expected")
  const scope = makeCodeScope()
  const columns = columnAccess(shape, scope)
  const overColumns = compileCondition(checked, columns, scope)
  const overRecords = compileCondition(checked, recordAccess(shape, scope, "record"), scope)
  const ofColumns = `(batch) => { ${columns.prelude()}\n let count = 0; for (let i = 0; i < batch.length; i++) if (${overColumns}) count++; return count }`
  const ofRecords = `(records) => { let count = 0; for (const record of records) if (${overRecords}) count++; return count }`
  const [fast, middle] = new Function(...scope.names, `return [${ofColumns}, ${ofRecords}]`)(...scope.values)
  const holds = interpretCondition(checked)
  const slow = () => records.filter(holds).length
  if (fast(batch) !== slow() || middle(records) !== slow()) throw new Error(`the ways differ: ${source}`)
  console.log(
    `${source}\n  columns ${rate(() => fast(batch))}, records ${rate(() => middle(records))}, interpreted ${rate(slow)}`
  )
}
