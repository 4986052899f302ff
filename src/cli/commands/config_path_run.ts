/** `entratool config path`. */

import { configHome } from "../../profiles/profile_store.ts";
import type { AppContext } from "../context.ts";

export default function configPath(this: AppContext): void {
  this.host.stdout.write(`${configHome(this.host)}\n`);
}
