/** Options that every verb takes: where the system keeps what it has, and how to print. */
import { Flags } from "@frazil/platform"

/** For verbs whose data is lines of JSON anyway. */
export const placeOptions = { ...Flags.location, verbose: Flags.verbose }

export const commonOptions = { ...placeOptions, json: Flags.json }
