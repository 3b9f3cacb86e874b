/** Ways by which files get into a message: chosen, pasted, or dragged onto it. */

import { isPicture } from './editor';

export class FileSources {
  /** Whether files hang above the form. */
  isDropping = false;

  constructor(
    private readonly attach: (files: readonly File[]) => void,
    private readonly changed: () => void,
  ) {}

  picked(event: Event): void {
    event.stopPropagation();
    const input = event.target as HTMLInputElement;
    this.attach(Array.from(input.files ?? []));
    // So that the same file can be picked again after it was removed.
    input.value = '';
  }

  /** Attach what was pasted, but for pictures: the editor puts those into the text. */
  pasted(event: ClipboardEvent): void {
    const files = Array.from(event.clipboardData?.files ?? []);
    const others = files.filter((each) => !isPicture(each));
    if (others.length) {
      event.preventDefault();
      event.stopPropagation();
      this.attach(others);
    }
  }

  dragged(event: DragEvent): void {
    if (Array.from(event.dataTransfer?.types ?? []).includes('Files')) {
      event.preventDefault();
      this.become(true);
    }
  }

  draggedOut(event: DragEvent): void {
    const [from, into] = [event.currentTarget, event.relatedTarget];
    this.become(from instanceof Node && into instanceof Node && from.contains(into));
  }

  dropped(event: DragEvent): void {
    this.become(false);
    const files = Array.from(event.dataTransfer?.files ?? []);
    if (files.length) {
      event.preventDefault();
      this.attach(files);
    }
  }

  private become(isDropping: boolean): void {
    if (isDropping !== this.isDropping) {
      this.isDropping = isDropping;
      this.changed();
    }
  }
}
