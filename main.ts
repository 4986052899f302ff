/** The program's start and end. */

import { runApp } from "./src/app.ts";
import { denoHost } from "./src/host_deno.ts";

// exits rather than returns: a wait for a lock that was given up can't be cancelled, and would keep the process alive
Deno.exit(await runApp(Deno.args, denoHost));
