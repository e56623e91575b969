from tests.shared.notes import kit, notes, notes_database

__all__ = ["kit", "notes", "notes_database"]
