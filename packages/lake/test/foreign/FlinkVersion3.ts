/**
 * What Flink (1.20.3 and 2.1.1, with Iceberg 1.11.0) finds in our table of nanoseconds and defaults, and what it writes there.
 *
 * Its SQL does not know the defaults of columns: it reads by a schema that is made from Flink's own types, which have none
 * (`FlinkSchemaUtil.convert`). In files from before the column, an optional one is null and a required one an error, in every
 * table. A compaction here writes the defaults down; then it reads all of them.
 */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { canonicalRows } from "./Canonical.ts"
import { askAll, idsByMatch, matchesQuery, type Ask, type EngineRows, type Question } from "./EngineSweep.ts"
import { readHere } from "./ReadHere.ts"
import { keepUp, namespace } from "./TypesTable.ts"
import { version3Fields, version3Name, version3Rows } from "./Version3Table.ts"

const table = `frazil.${namespace}.${version3Name}`

interface Filter {
  readonly where: string
  readonly ids: ReadonlyArray<number>
  /** What Flink finds instead: it hands a moment to Iceberg without what is below a microsecond (`FlinkFilters`). */
  readonly finds?: ReadonlyArray<number>
}

const at = (text: string): string => `TIMESTAMP '${text}'`

const momentFilters: ReadonlyArray<Filter> = [
  { where: "`at` IS NULL", ids: [2] },
  { where: "`at` IS NOT NULL", ids: [1, 3] },
  { where: `\`at\` < ${at("1970-01-01 00:00:00")}`, ids: [3] },
  { where: `\`at\` >= ${at("2026-01-02 03:04:05.000006")}`, ids: [1] },
  { where: `\`at\` > ${at("2026-01-02 03:04:05.000007")}`, ids: [] },
  { where: `\`at\` = ${at("2026-01-02 03:04:05.000006007")}`, ids: [1], finds: [] },
  { where: `\`at\` < ${at("2026-01-02 03:04:05.000006008")}`, ids: [1, 3], finds: [3] }
]

const defaultFilters: ReadonlyArray<Filter> = [
  { where: "n = 7", ids: [1, 2, 3] },
  { where: "n > 7", ids: [] },
  { where: "word = 'old'", ids: [1, 2] },
  { where: "word <> 'old'", ids: [3] },
  { where: "word IS NULL", ids: [] },
  { where: "`day` = DATE '2026-01-01'", ids: [1, 2] },
  { where: "`day` > DATE '2026-01-01'", ids: [3] }
]

const idsQuery = (filters: ReadonlyArray<Filter>): string =>
  matchesQuery(
    filters.map(({ where }) => where),
    table
  )

const checkIds = (filters: ReadonlyArray<Filter>, rows: EngineRows): void => {
  const ids = idsByMatch(rows)
  assert.deepStrictEqual(
    filters.map(({ where }, i) => ({ where, ids: ids.get(i) ?? [] })),
    filters.map(({ finds, ids: meant, where }) => ({ where, ids: finds ?? meant }))
  )
}

const select = (names: ReadonlyArray<string>): string =>
  `SELECT ${names.map((name) => `\`${name}\``).join(", ")} FROM ${table}`

const fieldsBut = (...names: ReadonlyArray<string>) => version3Fields.filter(({ name }) => !names.includes(name))

/** As we wrote it: rows whose defaults lie in no file lack them. */
export const flinkNanosecondsQuestion: Question = {
  queries: [select(fieldsBut("n").map(({ name }) => name)), idsQuery(momentFilters)],
  check: ([rows, found]) => {
    const fields = fieldsBut("n")
    const lacking = version3Rows.map((row) => (row.id === "3" ? row : { ...row, word: null, day: null }))
    assert.deepStrictEqual(canonicalRows({ fields }, rows!), canonicalRows({ fields }, lacking), "defaults are known")
    checkIds(momentFilters, found!)
  }
}

/** A query that fails, with what Flink says of it. */
const requiredDefault = { query: select(["n"]), message: "Missing required field: n" }

const added = { id: "4", at: "1767323045000006009", n: "8", word: null, day: null }

/** Types, rows and filters; then Flink adds a row, which gets no write defaults. */
const compactedQuestion: Question = {
  queries: [
    `SELECT ${version3Fields.map(({ name }) => `TYPEOF(\`${name}\`) AS \`${name}\``).join(", ")} FROM ${table} WHERE id = 1`,
    select(version3Fields.map(({ name }) => name)),
    idsQuery([...momentFilters, ...defaultFilters]),
    `INSERT INTO ${table} (id, \`at\`, n) VALUES (4, ${at("2026-01-02 03:04:05.000006009")}, 8)`
  ],
  check: ([types, rows, found]) => {
    assert.deepStrictEqual(types, [
      { id: "INT NOT NULL", at: "TIMESTAMP(9)", n: "INT NOT NULL", word: "STRING", day: "DATE" }
    ])
    const schema = { fields: version3Fields }
    assert.deepStrictEqual(canonicalRows(schema, rows!), canonicalRows(schema, version3Rows))
    checkIds([...momentFilters, ...defaultFilters], found!)
  }
}

/** A required column without its default is refused; all is there once the table is compacted, and what Flink adds is read here. */
export const checkFlinkVersion3 = Effect.fnUntraced(function* (ask: Ask) {
  const refused = yield* Effect.flip(ask([requiredDefault.query]))
  assert.include(String(refused), requiredDefault.message, "defaults of required columns are known")
  yield* keepUp(version3Name)
  yield* askAll(ask, [compactedQuestion])
  const ours = yield* readHere(namespace, version3Name)
  assert.deepStrictEqual(ours.rows, canonicalRows(ours.schema, [...version3Rows, added]))
})
