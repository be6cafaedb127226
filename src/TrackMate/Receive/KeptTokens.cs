namespace TrackMate.Receive;

/// <summary>
/// Takes tokens out of a refused body before it is kept. The body need not be JSON, so it is not parsed: the text after a key <c>token</c>, and whatever looks like a
/// JWT, is overwritten.
/// </summary>
internal static class KeptTokens
{
    private const byte Blanked = (byte)'*';

    public static ReadOnlyMemory<byte> Blank(ReadOnlyMemory<byte> body)
    {
        // The body's own bytes are still read elsewhere, and most hold no token.
        var text = body.Span;
        if (text.IndexOf("token"u8) < 0 && text.IndexOf("eyJ"u8) < 0) return body;
        var kept = text.ToArray();
        BlankMembers(kept);
        BlankWhatLooksLikeOne(kept);
        return kept;
    }

    private static void BlankMembers(Span<byte> text)
    {
        for (var rest = text; rest.IndexOf("\"token\""u8) is >= 0 and var at;)
        {
            rest = rest[(at + "\"token\""u8.Length)..];
            var value = rest.TrimStart(" \t\r\n:"u8);
            if (value.Length == rest.Length || value.Length == 0 || value[0] != '"') continue;
            value = value[1..];
            var end = 0;
            while (end < value.Length && value[end] != '"') end += value[end] == '\\' ? 2 : 1;
            value[..Math.Min(end, value.Length)].Fill(Blanked);
        }
    }

    /// <summary>What begins as the header of a JWT does, <c>{"</c> in base64url, and has at least one dot in it.</summary>
    private static void BlankWhatLooksLikeOne(Span<byte> text)
    {
        for (var rest = text; rest.IndexOf("eyJ"u8) is >= 0 and var at;)
        {
            rest = rest[at..];
            var end = rest.IndexOfAnyExcept(Characters);
            var token = end < 0 ? rest : rest[..end];
            if (token.Contains((byte)'.')) token.Fill(Blanked);
            rest = rest[token.Length..];
        }
    }

    private static readonly System.Buffers.SearchValues<byte> Characters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."u8);
}
