/** Options of every verb of `frazil config`. */
import { Flags, settingsPath } from "@frazil/platform"
import { Flag } from "effect/cli"

export const configOptions = {
  file: Flag.String("file").pipe(
    Flag.withDescription(`The settings file (default ${settingsPath} of the working directory)`),
    Flag.withMetavar("FILE.yaml"),
    Flag.withDefault(settingsPath)
  ),
  json: Flags.json,
  verbose: Flags.verbose
}
