/** Every construct on chosen records, by the interpreter and by both compiled forms: all three must give the value stated. */
import { describe, expect, it } from "vitest"
import { Decimal, expr, has } from "../../src/index.ts"
import { checked, record, runAll, type TestRecord, timestamp } from "./Fixture.ts"

type Case = readonly [source: string, change: TestRecord, expected: unknown]

const expectAll = (expression: Parameters<typeof checked>[0], change: TestRecord, expected: unknown) => {
  const values = runAll(checked(expression), record(change))
  expect(values).toEqual(values.map(() => expected))
}

const conditions = (cases: ReadonlyArray<Case>) =>
  it.each(cases)("%s for %j is %s", (source, change, expected) => expectAll(expr(source), change, expected))
const numbers = (cases: ReadonlyArray<Case>) =>
  it.each(cases)("%s for %j is %s", (source, change, expected) => expectAll(expr.number(source), change, expected))
const texts = (cases: ReadonlyArray<Case>) =>
  it.each(cases)("%s for %j is %s", (source, change, expected) => expectAll(expr.string(source), change, expected))

describe("decimals", () => {
  const amount = (text: string) => ({ amount: Decimal.of(text, 2) })
  conditions([
    ["amount > 100", amount("100.01"), true],
    ["amount > 100", amount("100.00"), false],
    ["amount >= 100", amount("100.00"), true],
    ["100 < amount", amount("100.01"), true],
    ["amount == 120.50", {}, true],
    ["amount == 120.5", {}, true],
    ["amount == 1.205e2", {}, true],
    ["amount != 120.5", {}, false],
    // literals of a larger scale, exactly
    ["amount > 99.999", amount("99.99"), false],
    ["amount > 99.999", amount("100.00"), true],
    ["amount >= 99.999", amount("99.99"), false],
    ["amount < 99.999", amount("99.99"), true],
    ["amount < 99.999", amount("100.00"), false],
    ["amount <= 99.999", amount("100.00"), false],
    ["amount == 99.999", amount("99.99"), false],
    ["amount != 99.999", amount("99.99"), true],
    ["!(amount == 99.999)", amount("99.99"), true],
    ["amount > -99.999", amount("-99.99"), true],
    ["amount < -99.999", amount("-100.00"), true],
    ["amount < -99.999", amount("-99.99"), false],
    ["99.999 > amount", amount("99.99"), true],
    ["fee == 0.00005", { fee: Decimal.of("0.0000", 4) }, false],
    // scales meet
    ["amount > fee", {}, true],
    ["fee < amount", amount("0.00"), false],
    ["amount + fee == 120.5001", {}, true],
    ["amount - fee < 120.5", {}, true],
    ["huge == 1.5", {}, true],
    ["huge > amount", { huge: Decimal.of("120.5000000001", 10) }, true],
    ["huge > amount", { huge: Decimal.of("120.5", 10) }, false],
    ["amount * 2 == 241", {}, true],
    ["2 * amount == 241", {}, true],
    ["amount * 1.1 == 132.55", {}, true],
    ["amount * count == 843.5", {}, true],
    ["amount * amount > 14520.24", {}, true],
    ["amount * amount == 14520.25", {}, true],
    ["amount > count", {}, true],
    ["count > amount", {}, false],
    ["amount + count == 127.5", {}, true],
    ["-amount < 0", {}, true],
    ["amount > 100 * 1.2", {}, true],
    // whole beside whole stays whole: 7 / 2 is 3
    ["amount * 0 + 3 == count / 2", {}, true],
    ["amount * 0 + 8.5 == count + 1.5", {}, true],
    ["amount > (online ? 1000 : 100)", {}, true],
    ["(online ? amount : fee) == 0.0001", {}, true],
    ["amount in [1, 120.5, 3]", {}, true],
    ["amount in [1, 120.505]", {}, false],
    ["!(amount in [1, 120.505])", {}, true],
    ["0.1 + 0.2 == 0.3", {}, false],
    ["amount * 0 + 0.1 + 0.2 == 0.3", {}, true],
    // beyond 2^53
    ["amount > 90071992547409.91", amount("9007199254740992.00"), true],
    ["amount == 9007199254740993.01", amount("9007199254740993.01"), true],
    ["amount == 9007199254740993.01", amount("9007199254740993.02"), false],
    ["amount + 0.01 == 90071992547409.92", amount("90071992547409.91"), true],
    ["amount + 0.01 == 90071992547409.91", amount("90071992547409.91"), false],
    ["amount + 0.02 - 0.02 == 90071992547409.91", amount("90071992547409.91"), true],
    ["amount * 3 == 270215977642229.73", amount("90071992547409.91"), true],
    [
      "huge == 9999999999999999999999999999.9999999999",
      { huge: Decimal.of("9999999999999999999999999999.9999999999", 10) },
      true
    ],
    ["huge * 10 > 0", { huge: Decimal.of("9999999999999999999999999999", 10) }, false],
    ["!(huge * 10 > 0)", { huge: Decimal.of("9999999999999999999999999999", 10) }, false],
    ["huge > 99.9999999999999", { huge: Decimal.of("9999999999999999999999999999", 10) }, true],
    [
      "huge > amount",
      { amount: Decimal.of("90071992547409.91", 2), huge: Decimal.of("90071992547409.9100000001", 10) },
      true
    ],
    [
      "huge < amount",
      { amount: Decimal.of("90071992547409.91", 2), huge: Decimal.of("90071992547409.9099999999", 10) },
      true
    ],
    [
      "huge == amount",
      { amount: Decimal.of("90071992547409.91", 2), huge: Decimal.of("90071992547409.9100000001", 10) },
      false
    ],
    ["huge > 1e27", { huge: Decimal.of("9999999999999999999999999999", 10) }, true]
  ])

  it("as values keep their exact scale", () => {
    expectAll(expr.decimal(2, "amount + 1"), {}, "decimal 121.50")
    expectAll(expr.decimal(4, "amount * 1.25"), {}, "decimal 150.6250")
    expectAll(expr.decimal(4, "amount"), {}, "decimal 120.5000")
    expectAll(expr.decimal(2, "0.5"), {}, "decimal 0.50")
    expectAll(expr.decimal(2, "count"), {}, "decimal 7.00")
    expectAll(expr.decimal(2, "online ? 1 : -1.5"), {}, "decimal -1.50")
    expectAll(expr.decimal(4, "fee"), { fee: null }, null)
    expectAll(expr.decimal(2, "amount * 100"), amount("9999999999999999.99"), "decimal 999999999999999999.00")
    expectAll(expr.decimal(2, "-amount + amount"), {}, "decimal 0.00")
  })

  it("that a function made larger than declared have no value", () => {
    const values = runAll(checked(expr.decimal(4, "fee")), record({ fee: Decimal.make(10n ** 20n, 4) }))
    expect(values).toEqual([null, null])
    expect(runAll(checked(expr.decimal(2, "amount")), record({ amount: Decimal.make(10n ** 18n, 2) }))).toEqual([
      null,
      null
    ])
  })
})

describe("whole numbers and doubles", () => {
  conditions([
    ["count == 7", {}, true],
    ["count > 6.5", {}, true],
    ["count == 7.0", {}, true],
    ["count in [1, 7]", {}, true],
    ["count in [1, 7.5]", {}, false],
    ["count in [7.0, 7.5]", {}, true],
    ["count in []", {}, false],
    ["!(count in [])", {}, true],
    ["count in [1,2,3,4,5,6,8,9,10,11,12,13,14,15,16,17,18,7]", {}, true],
    ["count in [0x7]", {}, true],
    ["lat > 48", {}, true],
    ["lat + 1 == 49.25", {}, true],
    ["1 - lat == -47.25", {}, true],
    ["lat > count", {}, true],
    ["lat == 48.25 && score != 0.25", {}, true],
    ["total + 1 > 0", { total: 9007199254740991 }, false],
    ["!(total + 1 > 0)", { total: 9007199254740991 }, false],
    ["score * 10.0 > 1.0", { score: 1.7e308 }, false],
    ["!(score * 10.0 > 1.0)", { score: 1.7e308 }, false],
    ["score * 10.0 - score * 10.0 < 1.0", { score: 1.7e308 }, false],
    ["1.0 / (score * 10.0) < 1.0", { score: 1.7e308 }, false]
  ])
  numbers([
    ["count * 3 + 1", {}, 22],
    ["count / 2", {}, 3],
    ["-count / 2", {}, -3],
    ["count % 4", {}, 3],
    ["-count % 4", {}, -3],
    ["-count % 7", {}, 0],
    ["count / (count - 7)", {}, null],
    ["count % (count - 7)", {}, null],
    ["total * 2", { total: 4503599627370496 }, null],
    ["total * 2", { total: 4503599627370495 }, 9007199254740990],
    ["total / 3", { total: 9007199254740991 }, 3002399751580330],
    ["lat / 2", {}, 24.125],
    ["lat / 0.0", {}, null],
    ["lat * -1.0", {}, -48.25],
    ["-lat", {}, -48.25],
    ["online ? 1 : 2", {}, 2],
    ["online ? lat : 1", {}, 1],
    ["int(lat)", {}, 48],
    ["int(-lat)", {}, -48],
    ["int(score)", { score: 1e17 }, null],
    ["int(amount)", {}, 120],
    ["int(huge)", { huge: Decimal.of("9007199254740991.9", 10) }, 9007199254740991],
    ["int(huge)", { huge: Decimal.of("9007199254740992", 10) }, null],
    ["int('42') + 1", {}, 43],
    ["int(country)", { country: "-17" }, -17],
    ["int(country)", { country: "1.5" }, null],
    ["int(country)", { country: "99999999999999999" }, null],
    ["int(timestamp('1970-01-02T00:00:00.9Z'))", {}, 86400],
    ["int(timestamp('1969-12-31T23:59:59.5Z'))", {}, -1],
    ["double(amount)", {}, 120.5],
    [
      "double(huge)",
      { huge: Decimal.of("1234567890123456789.123456789", 10) },
      Number("1234567890123456789.123456789")
    ],
    ["double(count) / 2.0", {}, 3.5],
    ["double(country)", { country: "2.5e-3" }, 0.0025],
    ["double(country)", { country: "1e999" }, null],
    ["double(country)", { country: "NaN" }, null],
    ["size(merchant)", {}, 15],
    ["merchant.size()", { merchant: "a😀b" }, 3],
    ["size(merchant)", { merchant: "" }, 0]
  ])
})

describe("texts", () => {
  conditions([
    ["country == 'DE'", {}, true],
    ["country == 'DE'", { country: "DEU" }, false],
    ["country == 'DE'", { country: "" }, false],
    ["country == ''", { country: "" }, true],
    ["country != ''", { country: "" }, false],
    ["country == ''", { country: null }, false],
    ["country.startsWith('')", { country: null }, false],
    ["'DE' == country", {}, true],
    ["country != 'FR'", {}, true],
    ["merchant == 'Bäckerei Müller'", {}, true],
    ["merchant == country", { country: "Bäckerei Müller" }, true],
    ["merchant != country", {}, true],
    ["country in ['FR', 'DE']", {}, true],
    ["country in []", {}, false],
    ["!(country in ['FR', 'IT'])", {}, true],
    [`country in [${Array.from({ length: 40 }, (_, at) => `'x${at}'`).join()}]`, { country: "x39" }, true],
    ["merchant + country in ['Bäckerei MüllerDE']", {}, true],
    [`merchant == '${"long ".repeat(20)}'`, { merchant: "long ".repeat(20) }, true],
    [`merchant == '${"long ".repeat(20)}'`, { merchant: `${"long ".repeat(19)}lonG ` }, false],
    // by code point: U+1F600 comes after U+FF5E, although its first UTF-16 unit does not
    ["merchant > country", { merchant: "😀", country: "～" }, true],
    ["merchant < country", { merchant: "～", country: "😀" }, true],
    ["merchant <= country", { merchant: "ab", country: "abc" }, true],
    ["country < 'DF' && country >= 'DE'", {}, true],
    ["merchant.startsWith('Bäck')", {}, true],
    ["merchant.startsWith('')", {}, true],
    ["merchant.endsWith('Müller')", {}, true],
    ["merchant.contains('rei M')", {}, true],
    ["merchant.contains(country)", { country: "rei" }, true],
    ["!merchant.contains('x')", {}, true],
    ["merchant.matches('^B.*er$')", {}, true],
    ["merchant.matches('[0-9]')", {}, false],
    ["!merchant.matches('[0-9]')", {}, true],
    ["kind == 'purchase' && kind != 'refund'", {}, true],
    ["constructor == 'Ford'", {}, true]
  ])
  texts([
    ["merchant + ' (' + country + ')'", {}, "Bäckerei Müller (DE)"],
    ["online ? 'web' : 'shop'", {}, "shop"],
    ["string(count)", {}, "7"],
    ["string(0 * -count)", {}, "0"],
    ["string(lat)", {}, "48.25"],
    ["string(amount)", {}, "120.50"],
    ["string(-amount)", { amount: Decimal.of("0.05", 2) }, "-0.05"],
    ["string(huge)", { huge: Decimal.of("1234567890123456789.5", 10) }, "1234567890123456789.5000000000"],
    ["string(online)", {}, "false"],
    ["string(count > 5 && online)", {}, "false"],
    ["string(count > 5 || flag)", { flag: null }, "true"],
    ["string(flag)", { flag: null }, null],
    ["string(flag && online)", { flag: null }, "false"],
    ["string(flag || online)", { flag: null }, null],
    ["string(!flag)", { flag: true }, "false"],
    ["string(total == 40)", { total: null }, null],
    ["string(total != 40)", {}, "false"],
    ["string(total < 41)", {}, "true"],
    ["string(total <= 40)", { total: 41 }, "false"],
    ["string(total > 40)", {}, "false"],
    ["string(total >= 40)", {}, "true"],
    ["string(fee == 0.00005)", {}, "false"],
    ["string(fee == 0.00005)", { fee: Decimal.of("0", 4) }, "false"],
    ["string(fee != 0.00005)", { fee: null }, null],
    ["string(country == 'DE')", {}, "true"],
    ["string(country < 'DE')", { country: null }, null],
    ["string(country in ['DE'])", {}, "true"],
    ["string(total in [1, 2])", { total: null }, null],
    ["string(has(total))", { total: null }, "false"],
    ["string(country.contains('E'))", {}, "true"],
    ["string(country.matches('E'))", { country: null }, null],
    ["string(true == flag)", {}, "true"],
    ["string(online ? flag : total == 40)", {}, "true"],
    ["string(at)", {}, "2026-01-14T23:45:10.250Z"],
    ["string(born)", {}, "1990-05-17"],
    ["string(string(born))", {}, "1990-05-17"],
    ["string('a\\'\\\\\\n')", {}, "a'\\\n"],
    ["r'a\\n'", {}, "a\\n"]
  ])
})

describe("times, durations and dates", () => {
  conditions([
    ["at > timestamp('2026-01-14T23:45:10Z')", {}, true],
    ["at == timestamp('2026-01-14T23:45:10.250Z')", {}, true],
    ["at == timestamp('2026-01-15T00:45:10.25+01:00')", {}, true],
    ["at == timestamp('2026-01-14T23:45:10.250001Z')", { at: timestamp("2026-01-14T23:45:10.250001Z") }, true],
    ["at > timestamp('2026-01-14T23:45:10.250001Z')", { at: timestamp("2026-01-14T23:45:10.250002Z") }, true],
    ["at in [timestamp('2026-01-14T23:45:10.250Z')]", {}, true],
    ["at != seen && at > seen", {}, true],
    ["at - seen == duration('5m')", {}, true],
    ["at - seen > duration('4m59.999999s')", {}, true],
    ["at - seen > duration('5 minutes')", {}, false],
    ["at - seen in [duration('300s')]", {}, true],
    [
      "at - seen == duration('-1us')",
      { at: timestamp("2026-01-01T00:00:00.000001Z"), seen: timestamp("2026-01-01T00:00:00.000002Z") },
      true
    ],
    ["seen + duration('5m') == at", {}, true],
    ["duration('5m') + seen >= at", {}, true],
    ["at - duration('1h30m') < seen", {}, true],
    ["at + duration('1us') > at", {}, true],
    ["at - (at - seen) == seen", {}, true],
    ["duration('1h') + duration('30m') == duration('1.5h')", {}, true],
    ["duration('1h') - duration('90m') < duration('0s')", {}, true],
    ["at + duration('36500d') > at", {}, false],
    ["!(at + duration('36500d') > at)", {}, false],
    ["(at - timestamp('1840-01-01T00:00:00Z')) + (at - timestamp('1840-01-01T00:00:00Z')) > duration('0s')", {}, false],
    [
      "!((at - timestamp('1840-01-01T00:00:00Z')) + (at - timestamp('1840-01-01T00:00:00Z')) > duration('0s'))",
      {},
      false
    ],
    ["born < date('1990-05-18') && born == date('1990-05-17')", {}, true],
    ["born in [date('1990-05-17')]", {}, true],
    ["at.getHours() in [22, 23]", {}, true],
    ["at.getHours('Europe/Vienna') == 0 && at.getDate('Europe/Vienna') == 15", {}, true]
  ])
  numbers([
    ["at.getFullYear()", {}, 2026],
    ["at.getMonth()", {}, 0],
    ["at.getDate()", {}, 14],
    ["at.getDayOfMonth()", {}, 13],
    ["at.getDayOfWeek()", {}, 3],
    ["at.getDayOfYear()", {}, 13],
    ["at.getHours()", {}, 23],
    ["at.getMinutes()", {}, 45],
    ["at.getSeconds()", {}, 10],
    ["at.getMilliseconds()", {}, 250],
    ["at.getHours('+02:30')", {}, 2],
    ["at.getMinutes('-00:50')", {}, 55],
    ["at.getHours('Asia/Kathmandu')", {}, 5],
    ["(at + duration('15m')).getDayOfWeek()", {}, 4],
    ["(at - seen).getMinutes()", {}, 5],
    ["(seen - at).getSeconds()", {}, -300],
    ["(seen - at).getHours()", {}, 0],
    ["seen.getHours()", { seen: null }, null],
    ["seen.getMonth('Europe/Vienna')", { seen: null }, null]
  ])
})

describe("conditions", () => {
  conditions([
    ["true", {}, true],
    ["!true", {}, false],
    ["online", {}, false],
    ["!online", {}, true],
    ["flag == true", {}, true],
    ["flag != online", {}, true],
    ["flag == online", {}, false],
    ["(count > 1) == (total > 1)", {}, true],
    ["(count > 1) != online", {}, true],
    ["online && flag || count == 7", {}, true],
    ["online ? flag : !flag", {}, false],
    ["flag ? count > 1 : online", {}, true],
    ["(flag ? count : total) == 7", {}, true],
    ["(flag ? merchant : country) == 'Bäckerei Müller'", {}, true]
  ])

  it("may be values; they are never null", () => {
    expectAll(expr("flag"), { flag: null }, false)
    expectAll(expr("!flag"), { flag: null }, false)
  })

  it("has(field) asks for null, of fields of every kind", () => {
    for (const name of [
      "amount",
      "huge",
      "country",
      "total",
      "score",
      "flag",
      "seen",
      "born",
      "extra",
      "constructor"
    ]) {
      expectAll(has(name), {}, true)
      expectAll(has(name), { [name]: null }, false)
      expectAll(expr(`has(${name})`), {}, true)
      expectAll(expr(`${name} == null`), { [name]: null }, true)
      expectAll(expr(`!(${name} != null)`), {}, false)
    }
  })

  it("read an absent field as null, also one that objects inherit", () => {
    const { constructor: _constructor, country: _country, ...absent } = record()
    for (const source of ["constructor == null", "country == null", "!has(country)", "!(has(constructor))"]) {
      expect(runAll(checked(expr(source)), absent)[0]).toBe(true)
      expect(runAll(checked(expr(source)), absent)[1]).toBe(true)
    }
  })
})
