using System.Globalization;
using System.Text.Json;
using TrackMate.Store.Tables;

namespace TrackMate.Show;

/// <summary>The results in the lines of the audit log, in words.</summary>
internal static class AuditMoved
{
    private const int MaxDetail = 300;

    /// <summary>What an act moved, such as <c>3 events and 1 session</c>; empty if nothing moved.</summary>
    public static string MovedBy(AuditLine line)
    {
        var detail = JsonElement.Parse(line.Detail);
        return MovedText.Of(NumberIn(detail, "events"), NumberIn(detail, "sessions"), detail.TryGetProperty("revenue", out var revenue) && revenue.ValueKind is JsonValueKind.Object
            ? revenue.EnumerateObject().Where(total => total.Value.ValueKind is JsonValueKind.String).Select(total => (total.Name, decimal.Parse(total.Value.GetString()!, CultureInfo.InvariantCulture)))
            : []);
    }

    /// <summary>The result of an action, in words.</summary>
    public static string Of(AuditLine line)
    {
        var detail = JsonElement.Parse(line.Detail);
        return line.Action switch
        {
            "erase" => (MovedBy(line) is { Length: > 0 } erased ? erased + " erased" : "no events erased") + (detail.TryGetProperty("suppressed", out var kept) && kept.ValueKind is JsonValueKind.True ? ", new messages about the person are not stored" : ""),
            "key_add" or "key_revoke" => "",
            "resend" => MovedText.Count(NumberIn(detail, "stored"), "message") + " stored",
            _ => MovedBy(line) is { Length: > 0 } moved ? moved + " moved" : "nothing moved",
        };
    }

    /// <summary>The details of an action for which there is no sentence.</summary>
    public static string Rest(AuditLine line)
    {
        var rest = string.Join(", ", JsonElement.Parse(line.Detail).EnumerateObject().Select(member => $"{member.Name} {member.Value}"));
        return rest.Length <= MaxDetail ? rest : rest[..(MaxDetail - 1)] + "…";
    }

    private static long NumberIn(JsonElement detail, string name) => detail.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.Number && value.TryGetInt64(out var number) ? number : 0;
}
