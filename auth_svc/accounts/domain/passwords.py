"""Which passwords are refused. Length and a list of common ones, as NIST SP 800-63B (5.1.1.2) advises."""

from __future__ import annotations

SHORTEST, LONGEST = 8, 128

#: The most used passwords of eight characters or more, from public lists of leaked ones.
COMMON = frozenset(
    ["12345678", "123456789", "1234567890", "12345678910", "123456789a", "0123456789", "987654321", "9876543210", "87654321", "11111111", "00000000", "22222222", "33333333", "44444444", "55555555", "66666666", "77777777", "88888888", "99999999", "111111111", "1111111111", "12121212", "123123123", "1234554321", "12341234", "123321123", "112233445566", "1q2w3e4r", "1q2w3e4r5t", "1q2w3e4r5t6y", "1qaz2wsx", "1qaz2wsx3edc", "qazwsxedc", "q1w2e3r4", "q1w2e3r4t5", "qwertyui", "qwertyuiop", "qwerty12", "qwerty123", "qwerty1234", "qwerty12345", "qwerty123456", "asdfghjk", "asdfghjkl", "asdfasdf", "zxcvbnm1", "zxcvbnm123", "1234qwer", "qwer1234", "abcd1234", "abc12345", "abcdefgh", "abcdefg1", "abc123456", "a1234567", "a12345678", "a123456789", "aa123456", "aa12345678", "password", "password1", "password2", "password12", "password123", "password1234", "password!", "password1!", "passw0rd", "p@ssw0rd", "p@ssword", "p@ssw0rd1", "pa$$word", "passwort", "passwort1", "motdepasse", "contrasena", "wachtwoord", "iloveyou", "iloveyou1", "iloveyou2", "ilovegod", "princess", "princess1", "sunshine", "sunshine1", "football", "football1", "baseball", "baseball1", "basketball", "superman", "superman1", "spiderman", "batman123", "starwars", "pokemon1", "dragon123", "monkey123", "letmein1", "letmein123", "welcome1", "welcome12", "welcome123", "welcome1234", "trustno1", "whatever", "computer", "internet", "samsung1", "michael1", "michelle", "jennifer", "jessica1", "charlie1", "jordan23", "liverpool", "liverpool1", "arsenal1", "chelsea1", "manchester", "barcelona", "realmadrid", "changeme", "changeme1", "changeme123", "administrator", "admin123", "admin1234", "admin12345", "administrator1", "root1234", "test1234", "testtest", "test12345", "guest1234", "default1", "secret123", "master123", "access14", "midnight", "freedom1", "nicole123", "ashley123", "babygirl1", "lovely123", "chocolate", "chocolate1", "butterfly", "flower123", "snoopy12", "mustang1", "corvette", "mercedes", "ferrari1", "porsche1", "harley12", "killer123", "hunter12", "hunter123", "shadow123", "blink182", "nirvana1", "metallica", "slipknot", "eminem12", "matrix12", "hivemart", "hivemart1", "hivemart123", "zaq12wsx", "zaq1zaq1", "!qaz2wsx", "qwe12345", "asd12345", "789456123", "147258369", "159753456", "741852963", "963852741", "159357456", "1029384756", "13579246", "24681012", "password0", "pass1234", "pass12345", "mypassword", "newpassword"]
)


def password_faults(password: str, *, email: str = "", name: str = "") -> list[str]:
    """Why a password is not accepted; empty when it is. It is never cut short."""
    if not SHORTEST <= len(password) <= LONGEST:
        return [f"Must have {SHORTEST} to {LONGEST} characters."]
    lowered = password.lower()
    if lowered in COMMON or len(set(lowered)) < 3:
        return ["Too many people use this one; choose another."]
    if lowered in {email.lower(), name.lower()}:
        return ["Must not be your own name or e-mail."]
    return []
