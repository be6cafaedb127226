using System.Text.Json;
using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Show;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Transfer;

/// <summary>An export's lines: each one JSON object, whose <c>type</c> says what it is. Messages are written as they were sent, to the byte.</summary>
internal static class ExportLines
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JsonAnswer.Encoder };

    /// <summary>The first line of a person's export.</summary>
    public static byte[] OfProfile(ProfileDocument profile, long now) => Line(writer =>
    {
        writer.WriteString("type", "profile");
        WriteFormat(writer, now);
        writer.WriteString("company_id", profile.CompanyId);
        writer.WritePropertyName("profile");
        writer.WriteRawValue(JsonSerializer.SerializeToUtf8Bytes(profile, Shown.Json.ProfileDocument), skipInputValidation: true);
    });

    /// <summary>The first line of a company's export.</summary>
    /// <param name="withSecret">Also writes the secret that keys its ids, by which another store gives the same ones.</param>
    public static byte[] OfCompany(Company company, long now, bool withSecret) => Line(writer =>
    {
        writer.WriteString("type", "company");
        WriteFormat(writer, now);
        writer.WriteString("company_id", company.CompanyId);
        writer.WriteString("name", company.Name);
        writer.WritePropertyName("settings");
        writer.WriteRawValue(CompanyRows.Write(company.Settings.Wanted() with { Ledger = 0 }));
        if (withSecret) writer.WriteBase64String("secret", company.Secret);
    });

    public static byte[] Of(ExportedMessage exported) => Line(writer =>
    {
        var message = exported.Message;
        writer.WriteString("type", message is Identify ? "identify" : "event");
        writer.WriteString("origin", message.Order.Origin is Origin.Browser ? "browser" : "server");
        writer.WriteString("eventId", message.EventId);
        writer.WriteString("timestamp", Shown.Time(message.Order.UnixMilliseconds));
        writer.WriteNumber("index", message.Order.Value & EventOrder.MaxIndex);
        writer.WriteString("receivedAt", Shown.Time(message.ReceivedAt));
        if (message.SessionId is { } session) writer.WriteString("sessionId", session);
        writer.WriteStartArray("identifiers");
        foreach (var identifier in message.Named) WriteIdentifier(writer, identifier, identifier.Kind is IdentifierKind.Bare ? exported.IdsOf.GetValueOrDefault(identifier.Id) : null);
        writer.WriteEndArray();
        if (message is Identify identify)
        {
            writer.WriteString("trust", Shown.Name(identify.Trust));
            WriteAsSent(writer, "said", identify.Said.Span);
            return;
        }

        var tracked = (TrackedEvent)message;
        writer.WriteString("eventType", tracked.Type);
        WriteAsSent(writer, "eventData", tracked.Data.Span);
        WriteAsSent(writer, "context", tracked.Context.Span);
        if (tracked.Agent is not { } agent) return;
        writer.WriteStartObject("agent");
        writer.WriteString("browser", agent.Browser);
        writer.WriteString("system", agent.System);
        writer.WriteString("device", agent.Device);
        writer.WriteBoolean("bot", agent.Bot);
        writer.WriteEndObject();
    });

    public static byte[] Of(ExportedAct act) => Line(writer =>
    {
        writer.WriteString("type", "act");
        writer.WriteString("actId", act.ActId);
        writer.WriteNumber("kind", act.Kind);
        if (act.SessionId is { } session) writer.WriteString("sessionId", session);
        WriteNamed(writer, "identifier", act.Identifier);
        WriteNamed(writer, "other", act.Other);
        if (act.From is { } from) writer.WriteNumber("fromMs", from);
        if (act.To is { } to) writer.WriteNumber("toMs", to);
        writer.WriteNumber("atMs", act.At);
        writer.WriteString("actor", act.Actor);
        if (act.UndoneAt is { } undone) writer.WriteNumber("undoneMs", undone);
    });

    private static void WriteFormat(Utf8JsonWriter writer, long now)
    {
        writer.WriteString("format", ImportLine.Format);
        writer.WriteString("exportedAt", Shown.Time(now));
    }

    private static void WriteNamed(Utf8JsonWriter writer, string name, Identifier? identifier)
    {
        if (identifier is null) return;
        writer.WritePropertyName(name);
        WriteIdentifier(writer, identifier, null);
    }

    private static void WriteIdentifier(Utf8JsonWriter writer, Identifier identifier, Identifier? of)
    {
        writer.WriteStartObject();
        writer.WriteString("kind", Shown.Name(identifier.Kind));
        writer.WriteString("value", identifier.Value);
        WriteNamed(writer, "of", of);
        writer.WriteEndObject();
    }

    /// <summary>As it was sent; what was sent over several lines is one line here only as a text.</summary>
    private static void WriteAsSent(Utf8JsonWriter writer, string name, ReadOnlySpan<byte> json)
    {
        if (json.IsEmpty) return;
        if (json.IndexOfAny((byte)'\n', (byte)'\r') >= 0)
        {
            writer.WriteString(name + "Text", json);
            return;
        }

        writer.WritePropertyName(name);
        writer.WriteRawValue(json, skipInputValidation: true);
    }

    private static byte[] Line(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        buffer.WriteByte((byte)'\n');
        return buffer.ToArray();
    }
}
