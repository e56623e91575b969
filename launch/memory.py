"""What Python's collector of cycles looks at."""

import gc


def keep_what_is_loaded() -> None:
    """Count what is there by now as staying to the end of the process: it is not searched for cycles any more.

    Modules and models are some hundred thousand objects; going through them again and again was two fifths of a
    consumer's time under load (decision 0040).
    """
    gc.collect()
    gc.freeze()
