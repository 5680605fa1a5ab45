import { formatCount } from '../../../app/format.ts';
import { attempt } from '../../../app/failures.ts';
import { Button } from '../../../ui/Button.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { useFocusWhenShown } from '../../../ui/useFocusWhenShown.ts';
import { attachText } from '../attach.ts';
import { chatStrings } from '../strings.ts';

const strings = chatStrings.paste;

interface PasteOfferProps {
  text: string;
  onInsert(): void;
  onClose(): void;
}

/** Text as long as a document is offered a better place than the question. */
export function PasteOffer({ text, onInsert, onClose }: PasteOfferProps) {
  const button = useFocusWhenShown<HTMLButtonElement>();
  const attach = () => {
    onClose();
    attempt(attachText(text));
  };
  return (
    <Notice
      tone="info"
      className="mb-2"
      message={strings.offer(formatCount(text.length))}
      actions={
        <>
          <Button onClick={onInsert}>{strings.insert}</Button>
          <Button ref={button} variant="primary" onClick={attach}>
            {strings.attach}
          </Button>
        </>
      }
    />
  );
}
