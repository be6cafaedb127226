using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using TrackMate.Bind;

namespace TrackMate.Store.Sqlite;

/// <summary>Finds refused messages that name a person, whatever they are: a refused body may be cut, be no JSON, or have the name in escapes.</summary>
internal sealed partial class RejectedTraces(Database database)
{
    /// <summary>Of a body that was cut, so much of a name at its end is a trace of it.</summary>
    private const int LeastPart = 6;

    public List<long> Of(Company company, IReadOnlyCollection<string> names)
    {
        var forms = names.SelectMany(FormsOf).Where(form => form.Length > 0).Distinct(StringComparer.Ordinal).ToList();
        var found = new List<long>();
        using var rows = database.Use("SELECT id, body, event_id, envelope FROM rejected WHERE company = ?");
        rows.With(company.Number);
        while (rows.Next())
        {
            if (Names(Encoding.UTF8.GetString(rows.Bytes(1)), forms) || Names($"{rows.TextOrNull(2)} {rows.TextOrNull(3)}", forms)) found.Add(rows.Long(0));
        }

        return found;
    }

    public void Delete(Company company, long rejected)
    {
        database.Use("DELETE FROM rejected_event WHERE company = ? AND rejected = ?").With(company.Number).With(rejected).Run();
        database.Use("DELETE FROM rejected WHERE company = ? AND id = ?").With(company.Number).With(rejected).Run();
    }

    private static bool Names(string body, List<string> forms)
    {
        bool IsIn(string text) => forms.Exists(form => Contains(text, form) || EndsWithPartOf(text, form));

        // Most bodies hold no escapes, and the writer waits while they are looked through.
        if (IsIn(Fold(body))) return true;
        if (body.AsSpan().IndexOfAny('\\', '%') < 0) return false;
        var unescaped = Fold(Unescaped(body));
        return IsIn(unescaped) || IsIn(Fold(Uri.UnescapeDataString(unescaped)));
    }

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
