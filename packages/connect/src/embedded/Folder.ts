/**
 * Makes the folder that a log or a lock lies in. Throws `Unavailable` with the folder's name when that fails.
 */
import { mkdirSync } from "node:fs"
import { LogError } from "@frazil/engine"

export const makeFolder = (folder: string): void => {
  try {
    mkdirSync(folder, { recursive: true })
  } catch (cause) {
    throw new LogError({
      reason: "Unavailable",
      message: `the folder ${folder} cannot be made: check that this user may write there`,
      cause
    })
  }
}
