using System.Buffers;
using System.Globalization;
using System.Text;
using TrackMate.Bind;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Erase;

/// <summary>
/// Whom an erasure looks for in text that was kept unread. In doubt the text names the person: what is kept of a rejected message may go too early, never too late.
/// </summary>
internal sealed class SoughtPerson
{
    /// <summary>So much of a name beside damage is a trace of it.</summary>
    private const int LeastPart = 6;

    /// <summary>The same where the text ends: it was cut there, by us or by its sender.</summary>
    private const int LeastPartAtEnd = 3;

    /// <summary>Damage takes so many characters of a name at most, and the rest of the name is still a trace of it.</summary>
    private const int MostLost = 4;

    /// <summary>Digits and damage that are left of escapes at most.</summary>
    private const int MostDigits = 8;

    /// <summary>A name that is longer is nothing else's part by chance.</summary>
    private const int LeastUnmistakable = 8;

    /// <summary>Text that is damaged in more places is no text: it is in doubt as a whole, and its search has to end.</summary>
    private const int MostDamages = 256;

    private readonly List<string> forms;
    private readonly HashSet<string> sessions;

    /// <param name="names">E-mails as they are compared, externalIds, and ids of profiles.</param>
    /// <param name="sessions">Found only as the value of a <c>sessionId</c>: strangers choose them, and one may be called like a member of every body.</param>
    public SoughtPerson(IEnumerable<string> names, IEnumerable<string> sessions)
    {
        forms = [.. names.SelectMany(FormsOf).SelectMany(form => new[] { form, Readings.Bare(form), Folding.Fold(form) }).Where(form => form.Length > 0).Distinct(StringComparer.Ordinal)];
        this.sessions = [.. sessions.Select(Readings.Fold).Where(session => session.Length > 0)];
    }

    /// <summary>Whether bytes name the person, whatever they are.</summary>
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

    /// <summary>Runs of damage, and the end of the text.</summary>
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

    /// <summary>A long name anywhere; a short one only by itself, for <c>42</c> is in many a price.</summary>
    private static bool Contains(string text, string form)
    {
        var anywhere = form.Length >= LeastUnmistakable || form.Contains('@');
        for (var at = text.IndexOf(form, StringComparison.Ordinal); at >= 0; at = text.IndexOf(form, at + 1, StringComparison.Ordinal))
        {
            if (anywhere || (BeginsAt(text, at) && EndsAt(text, at + form.Length))) return true;
        }

        return false;
    }

    /// <summary>The first escapes of a text: where one is broken, what follows may have made a whole one of it.</summary>
    private static List<(int Start, int End)> EscapesIn(string text)
    {
        var escapes = new List<(int, int)>();
        for (var at = text.IndexOf("\\u", StringComparison.Ordinal); at >= 0 && escapes.Count < MostDamages; at = text.IndexOf("\\u", at + 2, StringComparison.Ordinal)) escapes.Add((at, at + 2));
        return escapes;
    }

    /// <summary>Whether so much of a name stands before damage, or on both sides of it, that the rest of it may be what was damaged.</summary>
    private static bool IsBeside(string text, (int Start, int End) damage, string form)
    {
        var before = Before(text, damage.Start, form);
        return before >= (text.AsSpan(damage.End).IsWhiteSpace() ? LeastPartAtEnd : LeastPart) || IsAround(text, damage, before, form);
    }

    /// <summary>How much of the beginning of a name stands before a place.</summary>
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
        // Of a broken escape digits are left behind the damage, and of a broken character what its bytes make with those that follow.
        var needed = Math.Max(LeastPartAtEnd, Math.Max(form.Length - MostLost, (form.Length + 1) / 2)) - before;
        for (var skipped = 0; skipped <= MostDigits && damage.End + skipped < text.Length; skipped++)
        {
            if (EndStandsAt(text, damage.End + skipped, form, needed)) return true;
            if (text[damage.End + skipped] is var c && char.IsAscii(c) && !char.IsAsciiHexDigit(c) && !char.IsControl(c)) return false;
        }

        return false;
    }

    /// <summary>Whether the end of a name stands at a place, so much of it or more.</summary>
    private static bool EndStandsAt(string text, int start, string form, int least)
    {
        for (var length = Math.Min(form.Length - 1, text.Length - start); length >= Math.Max(least, 1); length--)
        {
            if (text[start] == form[^length] && text.AsSpan(start).StartsWith(form.AsSpan(form.Length - length)) && EndsAt(text, start + length)) return true;
        }

        return least <= 0;
    }

    private static bool EndsAt(string text, int end) => end == text.Length || !char.IsLetterOrDigit(text[end]);

    /// <summary>Digits before a name may be what is left of an escape.</summary>
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

            // It goes on after an escape, or was cut.
            var whole = rest.ToString();
            if (sessions.Any(session => whole.StartsWith(session, StringComparison.Ordinal) ? EndsAt(whole, session.Length) : value.Length >= LeastPartAtEnd && session.StartsWith(value, StringComparison.Ordinal))) return true;
        }

        return false;
    }

    private static readonly SearchValues<char> SessionEnds = SearchValues.Create(['"', '\\', ',', '}', '&', '\r', '\n', Readings.Damage]);

    /// <summary>As senders may have written it: an e-mail's domain in its own script too.</summary>
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
