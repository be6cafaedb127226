import { execFileSync } from 'node:child_process';

/** The tests of dist/ test what the sources are now. */
export default function build(): void {
  execFileSync(process.execPath, ['build.mjs'], { stdio: 'inherit' });
}
