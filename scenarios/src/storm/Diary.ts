/**
 * What a process of the storm writes down: a line for each turn, durable before it goes on.
 *
 * A line that a kill cut short was never promised to anybody: it is not read. Beside it stands since when a turn is under way.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { join } from "node:path"
import { Schema } from "effect"
import type { StormPlace } from "./StormPlace.ts"

/** What came of a turn. */
export const Entry = Schema.Struct({
  /** `append-3`. */
  who: Schema.String,
  /** How often this process had been started before. */
  run: Schema.Int,
  turn: Schema.Int,
  /** `done`: acknowledged. `tried`: written before it is asked for. Else why it was not, to be tried again. */
  came: Schema.String,
  message: Schema.optionalKey(Schema.String),
  snapshotId: Schema.optionalKey(Schema.String),
  sequenceNumber: Schema.optionalKey(Schema.String),
  /** Rows that the turn appended, all of them of one batch. */
  rows: Schema.optionalKey(Schema.Int),
  /** Snapshots that were expired, or files that were removed. */
  removed: Schema.optionalKey(Schema.Int),
  /** Columns of the evolved schema that came and went. */
  added: Schema.optionalKey(Schema.String),
  dropped: Schema.optionalKey(Schema.String)
})
export type Entry = typeof Entry.Type

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Entry))
const encode = Schema.encodeSync(Schema.fromJsonString(Entry))

const diaryOf = (place: StormPlace, who: string): string => join(place.folder, `${who}.diary`)

/** **The acknowledgement**: on disk when it returns. */
export const writeDown = (place: StormPlace, entry: Entry): void => {
  const file = openSync(diaryOf(place, entry.who), "a")
  try {
    // begun on a line of its own, since a kill may have cut the last one
    writeSync(file, `\n${encode(entry)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

const readLine = (line: string): ReadonlyArray<Entry> => {
  try {
    return [decode(line)]
  } catch {
    // cut short: who wrote it was killed before it was acknowledged
    return []
  }
}

/** What a turn that may end before it is acknowledged was about to do: it happened, or it did not. */
export const tried = "tried"

/** What all processes wrote down. */
export const readDiaries = (place: StormPlace): ReadonlyArray<Entry> =>
  readdirSync(place.folder)
    .filter((name) => name.endsWith(".diary"))
    .flatMap((name) => readFileSync(join(place.folder, name), "utf8").split("\n"))
    .filter((line) => line !== "")
    .flatMap(readLine)

const turnSuffix = ".turn"

/** Told before a turn does anything: no file of it is older. Whoever is killed says so until its next run begins one. */
export const beginTurn = (place: StormPlace, who: string, nowMs: number): void => {
  const file = join(place.folder, who)
  // never seen half written
  writeFileSync(`${file}.next`, String(nowMs))
  renameSync(`${file}.next`, `${file}${turnSuffix}`)
}

/** Nothing of the turn goes on in this process. */
export const endTurn = (place: StormPlace, who: string): void =>
  rmSync(join(place.folder, `${who}${turnSuffix}`), { force: true })

/** When the first of the turns that may be under way began; `nowMs` when there is none. */
export const oldestTurnMs = (place: StormPlace, nowMs: number): number =>
  readdirSync(place.folder)
    .filter((name) => name.endsWith(turnSuffix))
    .reduce((oldest, name) => {
      try {
        return Math.min(oldest, Number(readFileSync(join(place.folder, name), "utf8")))
      } catch {
        // it has just ended
        return oldest
      }
    }, nowMs)

/** Processes end after their turn when this file is there. */
export const endFile = (place: StormPlace): string => join(place.folder, "end")
export const hasEnded = (place: StormPlace): boolean => existsSync(endFile(place))
