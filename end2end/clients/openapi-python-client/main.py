import datetime
import os

from latchkey_api_client import AuthenticatedClient
from latchkey_api_client.api.key_verification import verify_key
from latchkey_api_client.api.offers import list_services
from latchkey_api_client.api.properties import get_property, list_properties
from latchkey_api_client.api.reservations import create_reservation, get_reservation
from latchkey_api_client.models import GuestInput, Problem, Reservation, ReservationInput, VerifyRequest


def client(variable):
    return AuthenticatedClient(base_url=os.environ["LATCHKEY_URL"], token=os.environ[variable])


api = client("LATCHKEY_KEY")
property_id = list_properties.sync(client=api, limit=50).data[0].id
service_id = list_services.sync(client=api, property_id=property_id).data[0].id

arrival = datetime.date.today() + datetime.timedelta(days=303)
made = create_reservation.sync(
    client=api,
    body=ReservationInput(
        property_id=property_id,
        service_id=service_id,
        guest=GuestInput(name="Ada Lovelace"),
        arrival=arrival,
        departure=arrival + datetime.timedelta(days=1),
    ),
)
assert isinstance(made, Reservation), made
found = get_reservation.sync(made.id, client=api)
assert (found.guest.name, found.arrival) == ("Ada Lovelace", arrival), found

refused = get_property.sync_detailed("prp_unknown", client=api)
assert refused.status_code == 404, refused
assert isinstance(refused.parsed, Problem) and refused.parsed.code == "not_found", refused

verified = verify_key.sync(client=client("LATCHKEY_VERIFIER_KEY"), body=VerifyRequest(key=os.environ["LATCHKEY_KEY"]))
assert verified.data.valid, verified
