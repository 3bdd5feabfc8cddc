/** Options that every verb takes: where the system keeps what it has, and how to print. */
import { Flags } from "@frazil/platform"
import { Flag } from "effect/cli"

/** For verbs whose data is lines of JSON anyway. */
export const placeOptions = { ...Flags.location, verbose: Flags.verbose }

export const commonOptions = { ...placeOptions, json: Flags.json }

/** Of verbs that print what people may have in records. */
export const unmask = Flag.Boolean("unmask").pipe(
  Flag.withDescription("Show personal values, which are (personal) otherwise"),
  Flag.withDefault(false)
)
