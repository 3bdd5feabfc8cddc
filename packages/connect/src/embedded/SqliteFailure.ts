/**
 * What SQLite's result codes mean for the log, by what the caller should do about it.
 *
 * Called where a statement throws. Codes that only a bug of ours can cause (misuse, constraint) have no meaning here:
 * they stay what they were thrown as, and become defects.
 */
import { LogError } from "@frazil/engine"

const busy = 5
const locked = 6
const readOnly = 8
const ioError = 10
const corrupt = 11
const full = 13
const cannotOpen = 14
const permission = 3
const notADatabase = 26
/** SQLITE_IOERR_SHORT_READ: the file ends where a page should be. */
const shortRead = ioError | (2 << 8)

/** SQLite's own words for these codes: all that Deno's `exec` gives. */
const codeOfWords: ReadonlyArray<readonly [words: string, code: number]> = [
  ["database is locked", busy],
  ["database table is locked", locked],
  ["attempt to write a readonly database", readOnly],
  ["disk I/O error", ioError],
  ["database disk image is malformed", corrupt],
  ["database or disk is full", full],
  ["unable to open database file", cannotOpen],
  ["file is not a database", notADatabase]
]

/** SQLite's extended result code of a thrown value; undefined when it is not SQLite's. */
const resultCode = (cause: unknown): number | undefined => {
  if (!(cause instanceof Error)) return undefined
  if ("errcode" in cause && typeof cause.errcode === "number") return cause.errcode
  if (!("code" in cause) || cause.code !== "ERR_SQLITE_ERROR") return undefined
  return codeOfWords.find(([words]) => cause.message.startsWith(words))?.[1]
}

/** Another connection holds the lock: nothing has happened, the same can be tried again. */
export const lockedByAnother = (cause: unknown): boolean => {
  const code = resultCode(cause)
  return code !== undefined && ((code & 0xff) === busy || (code & 0xff) === locked)
}

const explain = (code: number, file: string): Pick<LogError, "reason" | "message"> | undefined => {
  if (code === shortRead) {
    return {
      reason: "Corrupt",
      message: `${file} is shorter than it says it is (it was cut off): restore it from a backup`
    }
  }
  switch (code & 0xff) {
    case busy:
    case locked:
      return {
        reason: "Unavailable",
        message: `${file} is locked by another process: try again, or look for a program that keeps it open in a transaction`
      }
    case full:
      return {
        reason: "Full",
        message: `no space left for ${file}: free some on its disk (or raise the log's size limit), then start again: what was committed is kept`
      }
    case corrupt:
      return {
        reason: "Corrupt",
        message: `${file} is damaged: restore it from a backup, or move it away to start with an empty log`
      }
    case notADatabase:
      return {
        reason: "Corrupt",
        message: `${file} is not a log of frazil (not a SQLite file, or its first page is damaged): restore it from a backup, or move it away to start with an empty log`
      }
    case readOnly:
    case permission:
    case cannotOpen:
      return {
        reason: "Unavailable",
        message: `${file} cannot be opened for writing: check that its folder exists and that this user may write there`
      }
    case ioError:
      return {
        reason: "Unavailable",
        message: `the disk failed to read or write ${file}: check the disk, then start again`
      }
    default:
      return undefined
  }
}

/** The log's error for a thrown value; undefined for a bug. */
export const toLogError = (cause: unknown, file: string): LogError | undefined => {
  if (cause instanceof LogError) return cause
  const code = resultCode(cause)
  const explained = code === undefined ? undefined : explain(code, file)
  return explained === undefined ? undefined : new LogError({ ...explained, cause })
}
