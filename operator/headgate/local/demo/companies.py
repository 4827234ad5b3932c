"""Who the demo's service serves: forty companies, named as its flag's customers."""

COMPANIES = tuple(f"company-{number:02d}" for number in range(1, 41))
