using System.Buffers;
using System.Globalization;
using System.Text;
using TrackMate.Bind;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Erase;

/// <summary>
/// Searches text of unknown format for a person's names. If in doubt, the text names the person: a rejected message may be deleted too early, and never too late.
/// </summary>
internal sealed class SoughtPerson
{
    /// <summary>At least this many characters of a name, next to damaged text, are a trace of it.</summary>
    private const int LeastPart = 6;

    /// <summary>The same at the end of the text, where we or the sender truncated it.</summary>
    private const int LeastPartAtEnd = 3;

    /// <summary>Damage destroys at most this many characters of a name that is still recognized by its rest.</summary>
    private const int MostLost = 4;

    /// <summary>The most digits and damaged characters that a broken escape leaves behind.</summary>
    private const int MostDigits = 8;

    /// <summary>A name of at least this length is not part of another word by chance.</summary>
    private const int LeastUnmistakable = 8;

    /// <summary>A text with more damaged places counts as naming the person, so that the search ends in bounded time.</summary>
    private const int MostDamages = 256;

    private readonly List<string> forms;
    private readonly HashSet<string> sessions;

    /// <param name="names">E-mails in their compared form, externalIds, and profile ids.</param>
    /// <param name="sessions">Found only as the value of a <c>sessionId</c>. Browsers choose them, so one may equal a common word of every body.</param>
    public SoughtPerson(IEnumerable<string> names, IEnumerable<string> sessions)
    {
        forms = [.. names.SelectMany(FormsOf).SelectMany(form => new[] { form, Readings.Bare(form), Folding.Fold(form) }).Where(form => form.Length > 0).Distinct(StringComparer.Ordinal)];
        this.sessions = [.. sessions.Select(Readings.Fold).Where(session => session.Length > 0)];
    }

    /// <summary>Whether bytes of any format name the person.</summary>
    public bool IsNamedIn(ReadOnlySpan<byte> bytes) => Readings.Of(bytes).Any(IsIn);

    /// <inheritdoc cref="IsNamedIn(ReadOnlySpan{byte})"/>
    public bool IsNamedIn(string? text) => text is { Length: > 0 } && IsNamedIn(Encoding.UTF8.GetBytes(text));

    private bool IsIn(string text)
    {
        if (NamesSession(text)) return true;
        var damages = DamagesOf(text);
        if (damages.Count > MostDamages) return true;
        var escapes = EscapesIn(text);
        return forms.Exists(form => Contains(text, form) || damages.Exists(damage => IsBeside(text, damage, form)) || escapes.Exists(escape => IsAround(text, escape, Before(text, escape.Start, form), form)));
    }

    /// <summary>The damaged ranges, and the end of the text.</summary>
    private static List<(int Start, int End)> DamagesOf(string text)
    {
        var damages = new List<(int, int)>();
        var end = text.AsSpan().TrimEnd().Length;
        for (var at = text.IndexOf(Readings.Damage); at >= 0 && damages.Count <= MostDamages;)
        {
            var after = at;
            while (after < end && text[after] == Readings.Damage) after++;
            damages.Add((at, after));
            at = after < text.Length ? text.IndexOf(Readings.Damage, after) : -1;
        }

        if (damages.Count == 0 || damages[^1].Item2 < end) damages.Add((end, end));
        return damages;
    }

    /// <summary>Finds a long name anywhere, and a short one only as a whole word, since <c>42</c> is part of many prices.</summary>
    private static bool Contains(string text, string form)
    {
        var anywhere = form.Length >= LeastUnmistakable || form.Contains('@');
        for (var at = text.IndexOf(form, StringComparison.Ordinal); at >= 0; at = text.IndexOf(form, at + 1, StringComparison.Ordinal))
        {
            if (anywhere || (BeginsAt(text, at) && EndsAt(text, at + form.Length))) return true;
        }

        return false;
    }

    /// <summary>The first escapes of a text. If one is broken, the characters after it may have been read as part of the escape.</summary>
    private static List<(int Start, int End)> EscapesIn(string text)
    {
        var escapes = new List<(int, int)>();
        for (var at = text.IndexOf("\\u", StringComparison.Ordinal); at >= 0 && escapes.Count < MostDamages; at = text.IndexOf("\\u", at + 2, StringComparison.Ordinal)) escapes.Add((at, at + 2));
        return escapes;
    }

    /// <summary>Whether enough of a name stands before the damage, or on both sides of it, that the damage may have hidden the rest.</summary>
    private static bool IsBeside(string text, (int Start, int End) damage, string form)
    {
        var before = Before(text, damage.Start, form);
        return before >= (text.AsSpan(damage.End).IsWhiteSpace() ? LeastPartAtEnd : LeastPart) || IsAround(text, damage, before, form);
    }

    /// <summary>How many characters of the beginning of a name end at a position.</summary>
    private static int Before(string text, int end, string form)
    {
        for (var length = Math.Min(form.Length - 1, end); length > 0; length--)
        {
            if (text[end - 1] == form[length - 1] && text.AsSpan(0, end).EndsWith(form.AsSpan(0, length)) && BeginsAt(text, end - length)) return length;
        }

        return 0;
    }

    private static bool IsAround(string text, (int Start, int End) damage, int before, string form)
    {
        // A broken escape leaves digits after the damage. A broken character leaves whatever its bytes form together with the following ones.
        var needed = Math.Max(LeastPartAtEnd, Math.Max(form.Length - MostLost, (form.Length + 1) / 2)) - before;
        for (var skipped = 0; skipped <= MostDigits && damage.End + skipped < text.Length; skipped++)
        {
            if (EndStandsAt(text, damage.End + skipped, form, needed)) return true;
            if (text[damage.End + skipped] is var c && char.IsAscii(c) && !char.IsAsciiHexDigit(c) && !char.IsControl(c)) return false;
        }

        return false;
    }

    /// <summary>Whether the end of a name, with at least this many characters, starts at a position.</summary>
    private static bool EndStandsAt(string text, int start, string form, int least)
    {
        for (var length = Math.Min(form.Length - 1, text.Length - start); length >= Math.Max(least, 1); length--)
        {
            if (text[start] == form[^length] && text.AsSpan(start).StartsWith(form.AsSpan(form.Length - length)) && EndsAt(text, start + length)) return true;
        }

        return least <= 0;
    }

    private static bool EndsAt(string text, int end) => end == text.Length || !char.IsLetterOrDigit(text[end]);

    /// <summary>Whether a name may begin at a position. Digits before it may be the rest of an escape.</summary>
    private static bool BeginsAt(string text, int start)
    {
        if (start == 0 || !char.IsLetterOrDigit(text[start - 1])) return true;
        for (var at = start - 1; at >= 0 && at >= start - 6; at--)
        {
            if (text[at] is '\\' or '%' or '=' or Readings.Damage) return true;
            if (!char.IsAsciiHexDigit(text[at]) && text[at] is not ('u' or 'x')) return false;
        }

        return false;
    }

    private bool NamesSession(string text)
    {
        const string Member = "sessionid";
        if (sessions.Count == 0) return false;
        for (var at = text.IndexOf(Member, StringComparison.Ordinal); at >= 0; at = text.IndexOf(Member, at + Member.Length, StringComparison.Ordinal))
        {
            var rest = text.AsSpan(at + Member.Length).TrimStart("\\\"': =\t\r\n");
            var end = rest.IndexOfAny(SessionEnds);
            var value = (end < 0 ? rest : rest[..end]).TrimEnd().ToString();
            if (value.Length == 0) continue;
            if (sessions.Contains(value)) return true;
            if (end >= 0 && rest[end] is not ('\\' or Readings.Damage)) continue;

            // The value continues after an escape, or the text was truncated.
            var whole = rest.ToString();
            if (sessions.Any(session => whole.StartsWith(session, StringComparison.Ordinal) ? EndsAt(whole, session.Length) : value.Length >= LeastPartAtEnd && session.StartsWith(value, StringComparison.Ordinal))) return true;
        }

        return false;
    }

    private static readonly SearchValues<char> SessionEnds = SearchValues.Create(['"', '\\', ',', '}', '&', '\r', '\n', Readings.Damage]);

    /// <summary>The spellings that senders may have used: the domain of an e-mail also in its own script.</summary>
    private static IEnumerable<string> FormsOf(string name)
    {
        yield return Readings.Fold(name);
        var at = name.IndexOf('@', StringComparison.Ordinal);
        if (at < 0 || !name.Contains("xn--", StringComparison.Ordinal)) yield break;
        string domain;
        try
        {
            domain = new IdnMapping { AllowUnassigned = true }.GetUnicode(name, at + 1);
        }
        catch (ArgumentException)
        {
            yield break;
        }

        yield return Readings.Fold(name[..(at + 1)] + domain);
    }
}
