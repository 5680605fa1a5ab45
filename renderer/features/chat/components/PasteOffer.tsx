import { X } from 'lucide-react';
import { maximumPasteCharacters, maximumQuestionCharacters } from '../../../../host/contract/primitives.ts';
import { formatCount } from '../../../app/format.ts';
import { attempt } from '../../../app/failures.ts';
import { Button } from '../../../ui/Button.tsx';
import { IconButton } from '../../../ui/IconButton.tsx';
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
  if (text.length > maximumPasteCharacters) {
    return (
      <Notice
        tone="danger"
        className="mb-2"
        message={strings.tooLong(formatCount(text.length), formatCount(maximumPasteCharacters))}
        remedy={strings.tooLongRemedy}
        actions={<IconButton icon={X} size="small" label={strings.close} onClick={onClose} />}
      />
    );
  }
  return (
    <Notice
      tone="info"
      className="mb-2"
      message={strings.offer(formatCount(text.length))}
      actions={
        <>
          {text.length < maximumQuestionCharacters && <Button onClick={onInsert}>{strings.insert}</Button>}
          <Button ref={button} variant="primary" onClick={attach}>
            {strings.attach}
          </Button>
        </>
      }
    />
  );
}
