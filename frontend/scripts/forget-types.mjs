// Removes the types that the last build wrote: with a property that is new, or one that is gone, they
// contradict the sources, and the build fails before it writes them anew.
import { rmSync } from 'node:fs';

rmSync(new URL('../src/components.d.ts', import.meta.url), { force: true });
