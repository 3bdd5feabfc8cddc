/** Writes that come together: one COMMIT and one sync for all of them, and for each what it would have had alone. */
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { LogError } from "@frazil/engine"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { type Database, openDatabase } from "../../src/embedded/Database.ts"
import { makeTransactions, type Transactions, type WriteAbout } from "../../src/embedded/Transactions.ts"
import { temporaryFolder } from "./TemporaryFolder.ts"

interface World extends Transactions {
  /** The rows that are committed, in their order. */
  readonly rows: Effect.Effect<ReadonlyArray<string>, LogError>
  /** The topics of each commit, as it was told. */
  readonly told: ReadonlyArray<ReadonlyArray<string> | undefined>
}

const sqliteError = (words: string, errcode: number) =>
  Object.assign(new Error(words), { code: "ERR_SQLITE_ERROR", errcode })

const open = (file: string) =>
  Effect.acquireRelease(
    Effect.sync(() => openDatabase(file)),
    (db) => Effect.sync(() => db.close())
  )

const readRows = (db: Database) => db.all<{ readonly name: string }>("select name from t order by rowid")

/** A table of rows in a file; `spoil` may throw in the place of a statement. */
const makeWorld = Effect.fnUntraced(function* (spoil: (sql: string) => void = () => {}, pagesMax = 0) {
  const file = join(yield* temporaryFolder, "t.db")
  const db = yield* open(file)
  db.exec("pragma journal_mode = wal")
  if (pagesMax > 0) db.exec(`pragma max_page_count = ${pagesMax}`)
  db.exec("create table t (name text not null, filling blob) strict")
  const other = yield* open(file)
  const told: Array<ReadonlyArray<string> | undefined> = []
  const spoiled: Database = {
    ...db,
    run: (sql, ...parameters) => {
      spoil(sql)
      return db.run(sql, ...parameters)
    }
  }
  const transactions = yield* makeTransactions(spoiled, {
    reader: yield* open(file),
    busyTimeoutMs: 1_000,
    beginning: () => {},
    committed: (topics) => void told.push(topics)
  })
  const world: World = {
    ...transactions,
    rows: Effect.sync(() => readRows(other).map(({ name }) => name)),
    told
  }
  return world
})

const insert =
  (name: string, filling?: number) =>
  (db: Database): string => {
    db.run("insert into t values (?, ?)", name, filling === undefined ? null : new Uint8Array(filling))
    return name
  }

const names = (count: number) => Array.from({ length: count }, (_, n) => `w${n}`)

const together = <A>(writes: ReadonlyArray<Effect.Effect<A, LogError>>) =>
  Effect.forEach(writes, (write) => Effect.exit(write), { concurrency: "unbounded" })

const refuse = () => {
  throw new LogError({ reason: "Fenced", message: "refused" })
}

const before = (effect: Effect.Effect<void>): WriteAbout => ({ faults: { before: effect, after: Effect.void } })

describe("writes that come together", () => {
  it.effect("are committed once, and each hears what it asked", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const exits = yield* together(names(20).map((name) => world.write(insert(name), { topics: [name] })))
      assert.deepStrictEqual(exits, names(20).map(Exit.succeed))
      assert.strictEqual(world.told.length, 1)
      assert.deepStrictEqual(world.told[0], names(20))
      assert.deepStrictEqual(yield* world.rows, names(20))
      yield* world.write(insert("alone"))
      assert.deepStrictEqual(world.told.slice(1), [undefined])
    }).pipe(Effect.scoped)
  )

  it.effect("are as many in a transaction as its bounds allow", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* together(names(200).map((name) => world.write(insert(name), { topics: [name] })))
      assert.deepStrictEqual(
        world.told.map((topics) => topics!.length),
        [64, 64, 64, 8]
      )
      const bytes = 9 * 1_048_576
      yield* together(names(3).map((name) => world.write(insert(name), { topics: [name], bytes })))
      assert.deepStrictEqual(
        world.told.slice(4).map((topics) => topics!.length),
        [1, 1, 1]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("are kept where one of them is refused, dies or is interrupted, and it leaves nothing", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const half = (name: string) => (db: Database) => {
        insert(name)(db)
        return refuse()
      }
      const held = yield* Deferred.make<void>()
      const interrupted = yield* Effect.forkChild(
        world.write(insert("interrupted"), before(Effect.andThen(Deferred.succeed(held, undefined), Effect.never)))
      )
      yield* Deferred.await(held)
      const others = yield* Effect.forkChild(
        together<unknown>([
          world.write(insert("a")),
          world.write(half("b")),
          world.write(insert("c")),
          world.write(insert("d"), before(Effect.die("a crash"))),
          world.write(insert("e"))
        ])
      )
      yield* Effect.yieldNow
      yield* Fiber.interrupt(interrupted)
      const exits = yield* Fiber.join(others)
      assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, false, true, false, true])
      assert.deepStrictEqual(yield* world.rows, ["a", "c", "e"])
      assert.strictEqual(world.told.length, 1)
    }).pipe(Effect.scoped)
  )

  it.effect("leave no transaction open behind them, whoever fails last", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const writes = [world.write(insert("a")), world.write(refuse), world.write(refuse)]
      yield* together<unknown>(writes)
      assert.deepStrictEqual(yield* world.rows, ["a"])
      yield* together<unknown>([world.write(refuse)])
      yield* world.write(insert("b"))
      assert.deepStrictEqual(yield* world.rows, ["a", "b"])
    }).pipe(Effect.scoped)
  )

  it.effect("are done again alone where SQLite gave up all of them: only what does not fit fails", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(undefined, 40)
      const large = 400_000
      const exits = yield* together([
        world.write(insert("a")),
        world.write(insert("b")),
        world.write(insert("large", large)),
        world.write(insert("c"))
      ])
      assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, true, false, true])
      assert.deepInclude(yield* Effect.flip(exits[2]!), { reason: "Full" })
      assert.deepStrictEqual([...(yield* world.rows)].sort(), ["a", "b", "c"])
    }).pipe(Effect.scoped)
  )

  it.effect("are all unknown where nobody can say whether their COMMIT is kept", () =>
    Effect.gen(function* () {
      let broken = true
      const world = yield* makeWorld((sql) => {
        if (sql !== "commit" || !broken) return
        broken = false
        throw sqliteError("disk I/O error", 10)
      })
      const exits = yield* together(names(3).map((name) => world.write(insert(name))))
      for (const exit of exits) assert.deepInclude(yield* Effect.flip(exit), { reason: "OutcomeUnknown" })
      assert.strictEqual(yield* world.write(insert("next")), "next")
      assert.deepStrictEqual(yield* world.rows, ["next"])
    }).pipe(Effect.scoped)
  )

  it.live("wait and are done again where their COMMIT found the file locked", () =>
    Effect.gen(function* () {
      let busy = 2
      const world = yield* makeWorld((sql) => {
        if (sql === "commit" && busy-- > 0) throw sqliteError("database is locked", 5)
      })
      const exits = yield* together(names(3).map((name) => world.write(insert(name))))
      assert.deepStrictEqual(exits, names(3).map(Exit.succeed))
      assert.deepStrictEqual([...(yield* world.rows)].sort(), names(3))
    }).pipe(Effect.scoped)
  )

  it.effect("are not read before they are committed", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const held = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const holding = before(Effect.andThen(Deferred.succeed(held, undefined), Deferred.await(go)))
      const writing = yield* Effect.forkChild(world.write(insert("a"), holding))
      yield* Deferred.await(held)
      assert.deepStrictEqual(yield* world.read(readRows), [])
      yield* Deferred.succeed(go, undefined)
      yield* Fiber.join(writing)
      assert.strictEqual((yield* world.read(readRows)).length, 1)
    }).pipe(Effect.scoped)
  )
})
