"""The demo's season: a file of figures read and checked, and a synthetic history whose totals are those figures."""
