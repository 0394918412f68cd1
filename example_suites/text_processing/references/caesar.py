def caesar(text, shift):
    result = []
    for character in text:
        if character.isalpha():
            first = ord("A") if character.isupper() else ord("a")
            result.append(chr((ord(character) - first + shift) % 26 + first))
        else:
            result.append(character)
    return "".join(result)
