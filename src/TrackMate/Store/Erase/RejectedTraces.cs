using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using TrackMate.Bind;

namespace TrackMate.Store.Erase;

/// <summary>Finds refused messages that name a person, whatever they are: a refused body may be cut, be no JSON, or have the name in escapes.</summary>
internal sealed partial class RejectedTraces(Database database)
{
    /// <summary>Of a body that was cut, so much of a name at its end is a trace of it.</summary>
    private const int LeastPart = 6;

    /// <summary>Looks through everything that was refused.</summary>
    public SeenTraces Look(Company company, IReadOnlyCollection<string> names, IReadOnlyCollection<string> sessions)
    {
        using var newest = database.Use("SELECT COALESCE(MAX(id), 0) FROM rejected WHERE company = ?");
        newest.With(company.Number).Next();
        return new(newest.Long(0), names.ToHashSet(StringComparer.Ordinal), sessions.ToHashSet(StringComparer.Ordinal), Of(company, names, sessions));
    }

    /// <param name="names">Found wherever they stand by themselves.</param>
    /// <param name="sessions">Found only as what a <c>sessionId</c> says: strangers choose them, and one may be called like a member of every body.</param>
    /// <param name="seen">What was found by the same names: then only those, and what came since, are looked through.</param>
    public List<long> Of(Company company, IReadOnlyCollection<string> names, IReadOnlyCollection<string> sessions, SeenTraces? seen = null)
    {
        var sought = new Sought([.. names.SelectMany(FormsOf).Where(form => form.Length > 0).Distinct(StringComparer.Ordinal)], sessions.ToHashSet(StringComparer.Ordinal));
        if (seen is null || !seen.Names.SetEquals(names) || !seen.Sessions.SetEquals(sessions)) return From(company, 0, sought);

        // Numbers may have been given anew since, so each is looked at again.
        var found = From(company, seen.Newest, sought);
        foreach (var number in seen.Found.Where(number => number < seen.Newest))
        {
            using var row = database.Use("SELECT id, body, event_id, envelope FROM rejected WHERE id = ? AND company = ?");
            if (row.With(number).With(company.Number).Next() && Names(row, sought)) found.Add(number);
        }

        return found;
    }

    private sealed record Sought(List<string> Forms, HashSet<string> Sessions);

    private List<long> From(Company company, long first, Sought sought)
    {
        var found = new List<long>();
        using var rows = database.Stream("SELECT id, body, event_id, envelope FROM rejected WHERE company = ? AND id >= ?");
        rows.With(company.Number).With(first);
        while (rows.Next())
        {
            if (Names(rows, sought)) found.Add(rows.Long(0));
        }

        return found;
    }

    public void Delete(Company company, long rejected)
    {
        database.Use("DELETE FROM rejected_event WHERE company = ? AND rejected = ?").With(company.Number).With(rejected).Run();
        database.Use("DELETE FROM rejected WHERE company = ? AND id = ?").With(company.Number).With(rejected).Run();
    }

    private static bool Names(Statement row, Sought sought) => Names(Encoding.UTF8.GetString(row.Bytes(1)), sought) || Names($"{row.TextOrNull(2)} {row.TextOrNull(3)}", sought);

    private static bool Names(string body, Sought sought)
    {
        bool IsIn(string text) => NamesSession(text, sought.Sessions) || (Fold(text) is var folded && sought.Forms.Exists(form => Contains(folded, form) || EndsWithPartOf(folded, form)));

        // Most bodies hold no escapes.
        if (IsIn(body)) return true;
        if (body.AsSpan().IndexOfAny('\\', '%') < 0) return false;
        var unescaped = Unescaped(body);
        return IsIn(unescaped) || IsIn(Uri.UnescapeDataString(unescaped));
    }

    private static bool NamesSession(string text, HashSet<string> sessions)
    {
        if (sessions.Count == 0) return false;
        foreach (Match match in SessionMember().Matches(text))
        {
            var value = Unescaped(match.Groups["value"].Value);
            if (match.Groups["end"].Length > 0 ? sessions.Contains(value) : value.Length >= LeastPart && sessions.Any(session => session.StartsWith(value, StringComparison.Ordinal))) return true;
        }

        return false;
    }

    /// <summary>A session's id as a body gives it; the end is missing where the body was cut.</summary>
    [GeneratedRegex("""
        "sessionId"\s*:\s*"(?<value>(?:[^"\\]|\\.)*)(?<end>"?)
        """, RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SessionMember();

    /// <summary>Standing by itself: an externalId <c>42</c> is not in every price.</summary>
    private static bool Contains(string text, string form)
    {
        for (var at = text.IndexOf(form, StringComparison.Ordinal); at >= 0; at = text.IndexOf(form, at + 1, StringComparison.Ordinal))
        {
            var end = at + form.Length;
            if ((at == 0 || !char.IsLetterOrDigit(text[at - 1])) && (end == text.Length || !char.IsLetterOrDigit(text[end]))) return true;
        }

        return false;
    }

    private static bool EndsWithPartOf(string text, string form)
    {
        text = text.TrimEnd();
        for (var length = Math.Min(form.Length - 1, text.Length); length >= LeastPart; length--)
        {
            if (text.EndsWith(form[..length], StringComparison.Ordinal)) return true;
        }

        return false;
    }

    /// <summary>As senders may have written it: an e-mail's domain in its own script too.</summary>
    private static IEnumerable<string> FormsOf(string name)
    {
        yield return Fold(name);
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

        yield return Fold(name[..(at + 1)] + domain);
    }

    private static string Fold(string text)
    {
        try
        {
            return text.Normalize(NormalizationForm.FormC).ToLowerInvariant().Replace('ς', 'σ');
        }
        catch (ArgumentException)
        {
            // Half a surrogate, as a cut may leave it.
            return text.ToLowerInvariant();
        }
    }

    private static string Unescaped(string json) => Escape().Replace(json, escape => escape.Value[1] switch
    {
        'u' => ((char)ushort.Parse(escape.ValueSpan[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)).ToString(),
        'n' or 't' or 'r' or 'b' or 'f' => " ",
        var other => other.ToString(),
    });

    [GeneratedRegex(@"\\(?:u[0-9a-fA-F]{4}|.)", RegexOptions.Singleline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Escape();
}

/// <summary>Refused messages that name a person, as a reader saw them.</summary>
/// <param name="Newest">The number of the newest that was there.</param>
/// <param name="Names">By which they were found.</param>
internal sealed record SeenTraces(long Newest, IReadOnlySet<string> Names, IReadOnlySet<string> Sessions, IReadOnlyList<long> Found);
