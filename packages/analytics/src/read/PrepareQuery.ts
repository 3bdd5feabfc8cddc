/**
 * From a text to what may run: parsed in the query's process, checked, its tables resolved, its clauses taken out.
 *
 * The text that will run is parsed and checked itself, and held against the tree of the text that was sent: whatever the
 * changing of texts gets wrong is refused, not run.
 */
import type { Catalog, FileIO } from "@frazil/lake"
import { Effect, type Scope } from "effect"
import type { QueryProcess } from "../pool/QueryProcess.ts"
import { QueryError } from "../QueryError.ts"
import { syntaxHint } from "../sql/SyntaxHint.ts"
import { atClauses, blanked, refsAsVersions } from "../sql/AtClauses.ts"
import { checkTree, type CheckedTree } from "../sql/CheckTree.ts"
import { indexOfByte, indexOfCodePoint, placeOf, splice, type Splice, type Spliced } from "../sql/Splice.ts"
import { readTree, sameTree, type TreeObject } from "../sql/SqlTree.ts"
import { fromDuckDb } from "../sql/DuckDbMessage.ts"
import type { Moment } from "./Moment.ts"
import { type KnownTables, resolveTables, type Resolved } from "./ResolveTables.ts"

export interface ReadyQuery {
  readonly sql: string
  readonly resolved: Resolved
  readonly volatile: boolean
}

const fromUtf8 = new TextDecoder()

/** Keys in which the text that runs may differ. */
const rewritten: ReadonlySet<string> = new Set(["at_clause", "catalog_name"])

const place = (sql: string, text: Spliced, byte: number | undefined) =>
  byte === undefined ? {} : placeOf(sql, text.original(indexOfByte(text.text, byte)))

const parse = Effect.fnUntraced(function* (process: QueryProcess, sql: string) {
  yield* process.send({ type: "parse", sql })
  const frame = yield* process.receive
  const text = fromUtf8.decode(frame.bytes)
  if (frame.kind === "tree") return text
  return yield* fromDuckDb(text)
})

const statementOf = Effect.fnUntraced(function* (sql: string, text: Spliced, json: string) {
  const tree = yield* Effect.try({
    try: () => readTree(json),
    catch: () => new QueryError({ reason: "Refused", message: "the query is nested too deeply" })
  })
  if (tree._tag === "Wrong") {
    return yield* new QueryError({
      reason: tree.kind === "parser" ? "Syntax" : "Refused",
      message: tree.message.split("\n")[0] ?? "the query cannot be read",
      ...(tree.position === undefined ? {} : placeOf(sql, text.original(indexOfCodePoint(text.text, tree.position)))),
      hint: syntaxHint(tree.message)
    })
  }
  const [statement, ...more] = tree.statements
  if (statement !== undefined && more.length === 0) return statement
  return yield* new QueryError({
    reason: "Refused",
    message: statement === undefined ? "there is no statement" : `there are ${more.length + 1} statements`,
    hint: "send exactly one SELECT"
  })
})

const check = Effect.fnUntraced(function* (sql: string, text: Spliced, statement: TreeObject) {
  const checked = checkTree(statement)
  if (!("refusal" in checked)) return checked
  const { hint, message, place: byte } = checked.refusal
  return yield* new QueryError({
    reason: "Refused",
    message,
    ...place(sql, text, byte),
    ...(hint === undefined ? {} : { hint })
  })
})

/** Puts the catalog of its view before each table that needs one. */
const prefixes = (text: Spliced, checked: CheckedTree, resolved: Resolved): ReadonlyArray<Splice> =>
  checked.tables.flatMap((use, index) => {
    const catalog = resolved.catalogs[index] ?? ""
    if (catalog === "" || use.place === undefined) return []
    const at = text.original(indexOfByte(text.text, use.place))
    return [{ start: at, end: at, text: `${catalog}.` }]
  })

/** DuckDB's names are equal in either case. */
const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

const isResolved = (checked: CheckedTree, resolved: Resolved): boolean =>
  checked.tables.every(
    (use) =>
      use.at === undefined &&
      resolved.views.some(
        (view) =>
          view.catalog === use.catalog && sameName(view.namespace, use.namespace) && sameName(view.name, use.name)
      )
  )

/** Parses, checks and resolves; the process stands ready to run the query afterwards. */
export const prepareQuery = Effect.fn("analytics.prepareQuery")(function* (
  process: QueryProcess,
  sql: string,
  moment: Moment | undefined,
  knownTables: KnownTables
): Effect.fn.Return<ReadyQuery, QueryError, Catalog | FileIO | Scope.Scope> {
  const clauses = atClauses(sql)
  const sent = splice(sql, refsAsVersions(clauses))
  const statement = yield* statementOf(sql, sent, yield* parse(process, sent.text))
  const checked = yield* check(sql, sent, statement)
  const resolved = yield* resolveTables(checked.tables, moment, knownTables).pipe(
    Effect.mapError((error) => withPlace(error, sql, sent, checked))
  )
  const changes = [...blanked(sql, clauses), ...prefixes(sent, checked, resolved)]
  const running = splice(sql, changes)
  const plain = changes.length === 0
  const final = plain ? statement : yield* statementOf(sql, running, yield* parse(process, running.text))
  const finalChecked = plain ? checked : yield* check(sql, running, final)
  if (!isResolved(finalChecked, resolved) || !sameTree(statement, final, rewritten)) {
    return yield* new QueryError({
      reason: "Refused",
      message: "the AT clauses of the query cannot be told from the rest",
      hint: "write them as: ns.table AS name AT (VERSION => 1)"
    })
  }
  return { sql: running.text, resolved, volatile: checked.volatile }
})

/** An error about a table gets the place where it is named. */
const withPlace = (error: QueryError, sql: string, text: Spliced, checked: CheckedTree): QueryError => {
  if (error.reason !== "TableMissing") return error
  const use = checked.tables.find(
    ({ name, namespace }) => error.message === `there is no table ${namespace === "" ? name : `${namespace}.${name}`}`
  )
  return new QueryError({
    reason: error.reason,
    message: error.message,
    ...place(sql, text, use?.place),
    ...(error.hint === undefined ? {} : { hint: error.hint })
  })
}
