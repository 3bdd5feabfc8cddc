/** Where the rules lie that the pipeline judges by, unless it is told otherwise: the YAML documents beside this folder. */
import { fileURLToPath } from "node:url"

export const rulesDirectory = fileURLToPath(new URL("../rules", import.meta.url))
